-- Checkouts that are paid without a captured charge of their amount, or not paid and captured. Primary keys.
SELECT format('checkout %s is %s, its charge %s of %s', c.id, c.status, coalesce(h.state, 'missing'), h.amount)
FROM checkouts c LEFT JOIN charges h ON h.checkout_id = c.id
WHERE h.state IS NULL OR h.amount <> c.total_amount OR h.currency <> c.currency OR h.user_id <> c.user_id
   OR CASE c.status WHEN 'paid' THEN h.state <> 'captured' WHEN 'pending' THEN h.state <> 'intended'
        ELSE h.state NOT IN ('declined', 'not_made') END
