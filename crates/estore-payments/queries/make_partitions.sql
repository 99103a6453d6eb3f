-- Makes the coming months' partitions of the orders' history. No index.
SELECT make_order_event_partitions($1)
