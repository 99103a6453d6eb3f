-- Lost disputes that the ledger does not know of, or of another amount, and the other way round. Primary keys.
SELECT format('dispute %s of %s (%s): ledger %s', coalesce(d.id, l.id), d.amount, coalesce(d.state, 'missing'),
    coalesce(l.amount::text, 'nothing'))
FROM (SELECT * FROM disputes WHERE state = 'lost') d
FULL JOIN (
    SELECT t.id, t.currency, -sum(e.amount) AS amount
    FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
    WHERE t.kind = 'dispute' AND e.account = 'gateway_clearing'
    GROUP BY t.id
) l ON l.id = d.id
WHERE d.amount IS DISTINCT FROM l.amount OR d.currency IS DISTINCT FROM l.currency
