-- Orders whose refunded amount is not the sum of their refunds, or is more than was captured. Reads all orders.
SELECT format('order %s: %s captured, %s noted as refunded, refunds %s', o.id, o.captured_amount, o.refunded_amount,
    coalesce(r.total, 0))
FROM orders o
LEFT JOIN (
    SELECT order_id, sum(amount) FILTER (WHERE state <> 'failed') AS total,
        sum(amount) FILTER (WHERE state = 'succeeded') AS paid_out
    FROM refunds GROUP BY order_id
) r ON r.order_id = o.id
WHERE o.refunded_amount <> coalesce(r.total, 0) OR o.refunded_amount > o.captured_amount
   OR (o.status = 'refunded') <> (o.status <> 'cancelled' AND o.captured_amount > 0
        AND coalesce(r.paid_out, 0) = o.captured_amount)
   OR (o.status = 'partially_refunded') <> (o.status <> 'cancelled'
        AND coalesce(r.paid_out, 0) BETWEEN 1 AND o.captured_amount - 1)
