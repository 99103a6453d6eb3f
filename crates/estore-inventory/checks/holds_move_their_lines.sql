-- Hold lines that are not off the stock exactly once, or not back exactly once when released.
SELECT format('checkout %s, product %s: %s units %s, moved %s out and %s back', checkout_id, product_id,
    coalesce(l.quantity, 0), coalesce(l.state, 'without a line'), coalesce(-m.taken, 0), coalesce(m.returned, 0))
FROM (SELECT checkout_id, product_id, quantity, state FROM hold_lines JOIN holds USING (checkout_id)) l
FULL JOIN (
    SELECT checkout_id, product_id, sum(delta) FILTER (WHERE kind = 'hold') AS taken,
        coalesce(sum(delta) FILTER (WHERE kind = 'release'), 0) AS returned
    FROM stock_movements WHERE kind IN ('hold', 'release') GROUP BY checkout_id, product_id
) m USING (checkout_id, product_id)
WHERE l.quantity IS DISTINCT FROM -m.taken
   OR m.returned IS DISTINCT FROM CASE WHEN l.state = 'released' THEN l.quantity ELSE 0 END
