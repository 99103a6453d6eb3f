-- Money that the sandbox took and no checkout knows of, or knows of another amount. Primary keys.
SELECT format('sandbox sale %s of %s: checkout %s', s.key, s.amount, coalesce(c.status, 'missing'))
FROM sandbox_sales s LEFT JOIN checkouts c ON c.id = s.key
WHERE s.state = 'captured'
  AND (c.status IS NULL OR c.status NOT IN ('paid', 'pending') OR c.total_amount <> s.amount)
UNION ALL
SELECT format('checkout %s is paid, its sandbox sale %s', h.checkout_id, coalesce(s.state, 'missing'))
FROM charges h LEFT JOIN sandbox_sales s ON s.key = h.checkout_id
WHERE h.state = 'captured' AND h.gateway = 'sandbox' AND s.state IS DISTINCT FROM 'captured'
