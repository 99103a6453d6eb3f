-- For the audit. The ledger: bookings with their entries, digest and times of each range of microseconds after $1 and
-- up to $2. Index ledger_transactions_age, primary key of ledger_entries.
SELECT count(r.id), sha256(convert_to(coalesce(string_agg(r.row::text, E'\n' ORDER BY r.created_at, r.id), ''), 'UTF8')),
    min(r.created_at), max(r.created_at)
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS range (after, last, place)
LEFT JOIN LATERAL (
    SELECT a.id, a.created_at, jsonb_build_array(a.id, a.kind, a.checkout_id, a.currency,
        (extract(epoch FROM a.created_at) * 1000000)::bigint, (
            SELECT jsonb_agg(jsonb_build_array(e.line, e.account, e.user_id, e.amount) ORDER BY e.line)
            FROM ledger_entries e WHERE e.transaction_id = a.id)) AS row
    FROM ledger_transactions a
    WHERE a.created_at > timestamptz 'epoch' + range.after * interval '1 microsecond'
        AND a.created_at <= timestamptz 'epoch' + range.last * interval '1 microsecond'
) r ON true
GROUP BY place ORDER BY place
