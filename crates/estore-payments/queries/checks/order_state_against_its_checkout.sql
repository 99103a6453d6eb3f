-- Orders whose state or captured amount does not go with what became of their checkout. Primary key.
SELECT format('order %s is %s with %s captured, checkout %s is %s', o.id, o.status, o.captured_amount, c.id, c.status)
FROM orders o JOIN checkouts c ON c.id = o.checkout_id
WHERE CASE c.status
    WHEN 'paid' THEN o.status IN ('pending', 'failed') OR o.captured_amount <> o.total_amount
    ELSE o.status <> CASE c.failure WHEN 'cancelled' THEN c.failure ELSE c.status END OR o.captured_amount <> 0 END
