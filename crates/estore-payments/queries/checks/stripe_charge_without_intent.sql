-- Charges at Stripe, of more than nothing, that are captured by another intent than the noted one, or by none. Primary key.
SELECT format('charge %s is captured as %s, noted is %s', h.checkout_id, h.gateway_reference, coalesce(i.intent, 'none'))
FROM charges h LEFT JOIN stripe_intents i ON i.key = h.checkout_id
WHERE h.gateway = 'stripe' AND h.state = 'captured' AND h.amount > 0 AND i.intent IS DISTINCT FROM h.gateway_reference
