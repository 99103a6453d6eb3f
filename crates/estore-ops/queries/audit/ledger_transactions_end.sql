-- For the audit. The ledger: the moment that everything that is booked by now was begun before, in microseconds. A
-- session takes the time of its transaction a moment before it is seen to have one.
SELECT (extract(epoch FROM clock_timestamp() - interval '5 seconds') * 1000000)::bigint
