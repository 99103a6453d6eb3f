-- For the audit. The ledger: bookings after $1 microseconds, which no seal holds yet, and the oldest one's time. Index
-- ledger_transactions_age.
SELECT count(*), min(created_at) FROM (
    SELECT created_at FROM ledger_transactions
    WHERE created_at > timestamptz 'epoch' + $1::bigint * interval '1 microsecond' LIMIT 100000
) next
