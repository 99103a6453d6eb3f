-- no-transaction
DROP INDEX CONCURRENTLY stock_movements_order;
