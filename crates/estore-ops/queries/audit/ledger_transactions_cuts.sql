-- For the audit. The ledger: where the next batches end, of $3 rows or a few more each, in the $4 first rows after $1
-- and up to $2 microseconds. Index ledger_transactions_age.
SELECT DISTINCT max((extract(epoch FROM created_at) * 1000000)::bigint) AS position FROM (
    SELECT created_at, (row_number() OVER (ORDER BY created_at) - 1) / $3::bigint AS batch
    FROM (
        SELECT created_at FROM ledger_transactions
        WHERE created_at > timestamptz 'epoch' + $1::bigint * interval '1 microsecond'
            AND created_at <= timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
        ORDER BY created_at LIMIT $4::bigint
    ) next
) numbered
GROUP BY batch ORDER BY position
