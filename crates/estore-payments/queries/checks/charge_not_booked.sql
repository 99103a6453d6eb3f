-- Captured charges that the ledger does not know of, or of another amount, and the other way round. Primary keys.
SELECT format('charge %s of %s (%s): ledger %s', coalesce(h.checkout_id, l.id), h.amount, coalesce(h.state, 'missing'),
    coalesce(l.amount::text, 'nothing'))
FROM (SELECT * FROM charges WHERE state = 'captured' AND amount > 0) h
FULL JOIN (
    SELECT t.id, t.currency, sum(e.amount) AS amount
    FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
    WHERE t.kind = 'capture' AND e.account = 'gateway_clearing'
    GROUP BY t.id
) l ON l.id = h.checkout_id
WHERE h.amount IS DISTINCT FROM l.amount OR h.currency IS DISTINCT FROM l.currency
