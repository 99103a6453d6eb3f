-- Ledger transactions whose entries do not sum to zero, or that have none, and entries of none. Reads all entries.
SELECT format('ledger transaction %s%s: %s entries, sum %s', coalesce(t.id, e.transaction_id),
    CASE WHEN t.id IS NULL THEN ', which is not there' END, coalesce(e.count, 0), coalesce(e.sum, 0))
FROM ledger_transactions t
FULL JOIN (SELECT transaction_id, count(*), sum(amount) FROM ledger_entries GROUP BY transaction_id) e
    ON e.transaction_id = t.id
WHERE t.id IS NULL OR e.sum IS DISTINCT FROM 0
