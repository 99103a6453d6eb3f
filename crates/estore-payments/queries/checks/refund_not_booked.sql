-- Refunds paid out that the ledger does not know of, or of another amount, and the other way round. Primary keys.
SELECT format('refund %s of %s (%s): ledger %s', coalesce(r.id, l.id), r.amount, coalesce(r.state, 'missing'),
    coalesce(l.amount::text, 'nothing'))
FROM (SELECT * FROM refunds WHERE state = 'succeeded') r
FULL JOIN (
    SELECT t.id, t.currency, -sum(e.amount) AS amount
    FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
    WHERE t.kind = 'refund' AND e.account = 'gateway_clearing'
    GROUP BY t.id
) l ON l.id = r.id
WHERE r.amount IS DISTINCT FROM l.amount OR r.currency IS DISTINCT FROM l.currency
