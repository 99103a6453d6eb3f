-- destructive: the ledger, the orders' history and untold events
DROP TABLE job_leases;
DROP TABLE outbox;
DROP FUNCTION make_order_event_partitions(integer);
DROP TABLE order_events;
DROP TABLE ledger_entries;
DROP FUNCTION refuse_unbalanced_entries();
DROP TABLE ledger_transactions;
DROP FUNCTION refuse_change();
