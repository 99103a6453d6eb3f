-- Keys whose stored answer is not what became of their checkout. Index on resource_id, primary key.
SELECT format('user %s, key %s: answered %s, checkout %s is %s', k.user_id, k.key,
    coalesce(k.answer_status::text, 'nothing'), c.id, c.status)
FROM idempotency_keys k JOIN checkouts c ON c.id = k.resource_id
WHERE (k.user_id, k.key) IS DISTINCT FROM (c.user_id, c.idempotency_key)
   OR CASE c.status
        WHEN 'paid' THEN k.answer_status IS DISTINCT FROM 201
        WHEN 'failed' THEN CASE k.answer_status
            WHEN 402 THEN false
            WHEN 201 THEN c.failure NOT IN ('cancelled', 'payment_lapsed')
            -- Cut off before it was charged: the key is freed when InventoryService has been told.
            ELSE c.failure <> 'charge_not_made' OR k.state <> 'undoing'
                OR NOT EXISTS (SELECT FROM outbox o WHERE o.checkout_id = c.id AND o.topic = 'checkout.failed') END
        ELSE k.answer_status IS DISTINCT FROM CASE c.waits_for WHEN 'staff' THEN 201 END END
