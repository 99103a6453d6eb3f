-- Checkouts whose total is not the sum of their orders, or in another currency, or of another user. Reads all.
SELECT format('checkout %s: total %s, orders %s', c.id, c.total_amount, coalesce(o.total::text, 'none'))
FROM checkouts c
LEFT JOIN (
    SELECT checkout_id, sum(total_amount) AS total, min(currency COLLATE "C") AS low, max(currency COLLATE "C") AS high,
        min(user_id::integer) AS first_user, max(user_id::integer) AS last_user
    FROM orders GROUP BY checkout_id
) o ON o.checkout_id = c.id
WHERE (c.total_amount, c.currency COLLATE "C", c.currency COLLATE "C", c.user_id, c.user_id)
    IS DISTINCT FROM (o.total, o.low, o.high, o.first_user, o.last_user)
