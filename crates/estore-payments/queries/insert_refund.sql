-- The intent to refund, before the gateway is asked. No index read.
INSERT INTO refunds (id, order_id, checkout_id, user_id, kind, amount, currency, reason, requested_by, idempotency_key,
                     next_attempt_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + make_interval(secs => $11::double precision), $12)
