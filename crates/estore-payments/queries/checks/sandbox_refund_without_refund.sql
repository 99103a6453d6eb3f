-- Money that the sandbox gave back and no refund knows of, or the other way round. Primary keys.
SELECT format('sandbox refund %s of %s: refund %s of %s', s.key, s.amount, coalesce(r.state, 'missing'), r.amount)
FROM sandbox_refunds s LEFT JOIN refunds r ON r.id = s.key
WHERE r.state IS NULL OR r.state = 'failed' OR r.amount <> s.amount OR r.checkout_id <> s.sale_key
UNION ALL
SELECT format('refund %s has succeeded, and not at the sandbox', r.id)
FROM refunds r JOIN charges h ON h.checkout_id = r.checkout_id AND h.gateway = 'sandbox'
WHERE r.state = 'succeeded' AND NOT EXISTS (SELECT FROM sandbox_refunds s WHERE s.key = r.id)
