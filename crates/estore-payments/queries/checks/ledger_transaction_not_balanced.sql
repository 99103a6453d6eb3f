-- Ledger transactions whose entries do not sum to zero, or that have none. Reads all entries.
SELECT format('ledger transaction %s: %s entries, sum %s', t.id, coalesce(e.count, 0), coalesce(e.sum, 0))
FROM ledger_transactions t
LEFT JOIN (SELECT transaction_id, count(*), sum(amount) FROM ledger_entries GROUP BY transaction_id) e
    ON e.transaction_id = t.id
WHERE e.sum IS DISTINCT FROM 0
