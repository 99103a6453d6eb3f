-- Checkouts whose total is not the sum of their orders, or in another currency, or of another user. Reads all.
SELECT format('checkout %s: total %s, orders %s', c.id, c.total_amount, coalesce(o.total::text, 'none'))
FROM checkouts c
LEFT JOIN (
    SELECT checkout_id, sum(total_amount) AS total, min(currency) AS low, max(currency) AS high,
        min(user_id) AS first_user, max(user_id) AS last_user
    FROM orders GROUP BY checkout_id
) o ON o.checkout_id = c.id
WHERE (c.total_amount, c.currency, c.currency, c.user_id::text, c.user_id::text)
    IS DISTINCT FROM (o.total, o.low, o.high, o.first_user, o.last_user)
