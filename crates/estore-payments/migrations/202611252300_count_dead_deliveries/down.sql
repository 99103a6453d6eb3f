-- no-transaction
DROP INDEX CONCURRENTLY webhook_deliveries_dead;
