-- no-transaction
-- What has moved since is found to be sealed; a summary of whole pages, which a sale does not write to.
CREATE INDEX CONCURRENTLY stock_movements_age ON stock_movements USING brin (id);
