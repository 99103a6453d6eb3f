-- Orders whose total is not quantity × unit price. Reads all orders.
SELECT format('order %s: %s is not %s × %s', id, total_amount, quantity, unit_price)
FROM orders WHERE total_amount <> quantity::bigint * unit_price
