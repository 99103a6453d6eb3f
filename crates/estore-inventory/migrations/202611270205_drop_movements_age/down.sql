-- no-transaction
CREATE INDEX CONCURRENTLY stock_movements_age ON stock_movements USING brin (id);
