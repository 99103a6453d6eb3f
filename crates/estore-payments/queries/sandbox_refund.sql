-- Refunds part of a sale unless this key has done so before or too little is left of it. Primary keys.
WITH sale AS (
    UPDATE sandbox_sales SET refunded_amount = refunded_amount + $3
    WHERE key = $2 AND state = 'captured' AND refunded_amount + $3 <= amount
      AND NOT EXISTS (SELECT FROM sandbox_refunds WHERE key = $1)
    RETURNING key
)
INSERT INTO sandbox_refunds (key, sale_key, amount) SELECT $1, key, $3 FROM sale
