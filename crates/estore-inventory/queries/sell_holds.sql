-- Turns open holds into sales; their stock is off the shelf already. Primary key.
UPDATE holds SET state = 'sold', updated_at = now()
FROM (
    SELECT checkout_id FROM holds
    WHERE checkout_id = ANY($1::uuid[]) AND state = 'held' ORDER BY checkout_id FOR UPDATE
) open
WHERE holds.checkout_id = open.checkout_id
