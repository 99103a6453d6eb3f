-- Products whose movements do not add up to what is on the shelf.
SELECT format('product %s has a quantity of %s, its movements sum to %s', p.id, p.quantity, coalesce(m.total, 0))
FROM products p LEFT JOIN (
    SELECT product_id, sum(delta) AS total FROM stock_movements GROUP BY product_id
) m ON m.product_id = p.id
WHERE p.quantity <> coalesce(m.total, 0)
