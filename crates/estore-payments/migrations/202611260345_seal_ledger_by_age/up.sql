-- no-transaction
-- What has been booked since is found to be sealed; a summary of whole pages, which a booking does not write to.
CREATE INDEX CONCURRENTLY ledger_transactions_age ON ledger_transactions USING brin (created_at);
