-- Movements of products that are not there.
SELECT format('movement %s names product %s, which does not exist', m.id, m.product_id)
FROM stock_movements m LEFT JOIN products p ON p.id = m.product_id
WHERE p.id IS NULL
