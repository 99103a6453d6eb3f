-- Cards that the gateway is to forget now: not those that an open charge or another payment method still needs.
-- Primary key, partial index checkouts_pending, index idx_payment_methods_user.
WITH due AS (
    SELECT u.gateway, u.gateway_token FROM unwanted_cards u
    WHERE u.gateway = $1 AND u.next_attempt_at <= now()
      AND NOT EXISTS (
        SELECT FROM checkouts c JOIN charges h ON h.checkout_id = c.id
        WHERE c.status = 'pending' AND h.gateway = u.gateway AND h.gateway_token = u.gateway_token)
      AND NOT EXISTS (
        SELECT FROM payment_methods m
        WHERE m.user_id = u.user_id::text AND m.is_active AND m.gateway = u.gateway AND m.gateway_token = u.gateway_token)
    ORDER BY u.next_attempt_at LIMIT $2
    FOR UPDATE OF u SKIP LOCKED
)
UPDATE unwanted_cards u
SET attempts = least(u.attempts + 1, 1000), next_attempt_at = now() + make_interval(mins => least(5 * (u.attempts + 1), 1440))
FROM due WHERE u.gateway = due.gateway AND u.gateway_token = due.gateway_token
RETURNING u.gateway_token
