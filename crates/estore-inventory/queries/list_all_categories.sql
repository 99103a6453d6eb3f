-- Every category's place and name, for imports that name categories by their path. Whole table.
SELECT id, parent_id, name FROM categories ORDER BY id
