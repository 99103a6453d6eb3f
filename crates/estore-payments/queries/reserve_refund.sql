-- Reserves money for a refund if the order still has it; the CHECK on refunded_amount says the same. Primary key.
UPDATE orders SET refunded_amount = refunded_amount + $2::integer, updated_at = $3
WHERE id = $1 AND status IN ('paid', 'processing', 'shipped', 'delivered', 'partially_refunded')
  AND refunded_amount::bigint + $2::integer <= captured_amount
