-- Checkouts of which more units came back than were sold.
SELECT format('checkout %s, product %s: %s of %s units came back', m.checkout_id, m.product_id, m.returned, l.quantity)
FROM (
    SELECT checkout_id, product_id, sum(delta) AS returned FROM stock_movements WHERE kind = 'restock'
    GROUP BY checkout_id, product_id
) m JOIN hold_lines l ON l.checkout_id = m.checkout_id AND l.product_id = m.product_id
WHERE m.returned > l.quantity
