-- no-transaction
DROP INDEX CONCURRENTLY ledger_transactions_age;
