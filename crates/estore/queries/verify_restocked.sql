-- Every order whose units went back to stock, and how many seconds ago, in order. idx_stock_movements_restock.
SELECT order_id AS id, product_id, delta AS quantity,
       extract(epoch FROM now() - created_at)::bigint AS age
FROM stock_movements
WHERE kind = 'restock'
ORDER BY order_id
