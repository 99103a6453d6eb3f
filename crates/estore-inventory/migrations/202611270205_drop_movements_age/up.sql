-- no-transaction
-- The index by id finds what it found.
DROP INDEX CONCURRENTLY stock_movements_age;
