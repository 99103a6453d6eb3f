-- Paid checkouts of the past year with their charges and ledger, twenty lines each.
WITH made AS (
    INSERT INTO checkouts (id, user_id, idempotency_key, operation, status, total_amount, currency, payment_method_id,
                           created_at, updated_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 100000 + n % 100000, 'filled-' || n,
           'checkout', 'paid', 20 * 1000, 'USD', (SELECT min(id) FROM payment_methods), at, at
    FROM generate_series($1::integer, $2::integer) AS n,
         LATERAL (SELECT now() - interval '1 year' + (n % 31000000) * interval '1 second') AS moment (at)
    RETURNING id, user_id, total_amount, created_at
), charged AS (
    INSERT INTO charges (checkout_id, user_id, amount, currency, gateway, gateway_token, state, gateway_reference,
                         created_at, settled_at)
    SELECT id, user_id, total_amount, 'USD', 'sandbox', 'filled', 'captured', 'filled', created_at, created_at FROM made
), booked AS (
    INSERT INTO ledger_transactions (id, kind, checkout_id, currency, created_at)
    SELECT id, 'capture', id, 'USD', created_at FROM made
)
INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
SELECT id, e.line, e.account, user_id, e.sign * total_amount
FROM made, (VALUES (1::smallint, 'gateway_clearing', 1), (2::smallint, 'revenue', -1)) AS e (line, account, sign)
