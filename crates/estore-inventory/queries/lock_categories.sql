-- Keeps every other change of the tree out until the transaction ends; the tree's trigger takes the same lock. No table.
SELECT pg_advisory_xact_lock(hashtext('estore.categories'))
