-- What the words of a search mean. No table.
SELECT websearch_to_tsquery('english', $1) AS query
