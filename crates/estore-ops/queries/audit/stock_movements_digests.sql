-- For the audit. Movements of stock: rows, digest and times of each range of ids after $1 and up to $2. Index
-- stock_movements_order.
SELECT count(r.id), sha256(convert_to(coalesce(string_agg(r.row::text, E'\n' ORDER BY r.id), ''), 'UTF8')),
    min(r.created_at), max(r.created_at)
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS range (after, last, place)
LEFT JOIN LATERAL (
    SELECT a.id, a.created_at, jsonb_build_array(a.id, a.product_id, a.delta, a.kind, a.reason, a.checkout_id,
        a.order_id, a.actor_user_id, (extract(epoch FROM a.created_at) * 1000000)::bigint) AS row
    FROM stock_movements a WHERE a.id > range.after AND a.id <= range.last
) r ON true
GROUP BY place ORDER BY place
