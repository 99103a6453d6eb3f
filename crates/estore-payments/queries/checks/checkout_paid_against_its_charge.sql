-- Checkouts that are paid without a captured charge of their amount, or not paid and captured. Primary keys.
SELECT format('checkout %s is %s, its charge %s of %s', c.id, c.status, coalesce(h.state, 'missing'), h.amount)
FROM checkouts c LEFT JOIN charges h ON h.checkout_id = c.id
WHERE h.state IS NULL OR h.amount <> c.total_amount OR h.currency <> c.currency OR h.user_id <> c.user_id
   OR h.state NOT IN (
        SELECT unnest(CASE c.status WHEN 'paid' THEN ARRAY['captured'] WHEN 'pending' THEN ARRAY['intended']
                      ELSE ARRAY['declined', 'not_made'] END))
