-- A page of holds that are neither sold nor released, in checkout order. idx_holds_open.
SELECT checkout_id, created_at FROM holds
WHERE state = 'held'
  AND created_at <= now() - make_interval(secs => $1::int8)
  AND ($2::uuid IS NULL OR checkout_id > $2)
ORDER BY checkout_id
LIMIT $3::int8
