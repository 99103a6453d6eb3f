-- What is left of customers who have been erased, beyond their orders; what requests under way wrote then is looked at
-- again by itself. Reads all of those who are erased. Indexes idx_payment_methods_user and orders_recent_of_user, primary key
-- of checkouts.
SELECT format('customer %s: erased, and payment method %s is kept', e.user_id, m.id)
FROM erased_customers e JOIN payment_methods m ON m.user_id = e.user_id::text
WHERE (m.is_active OR m.fingerprint <> 'erased' OR m.gateway_token <> 'erased') AND m.created_at < now() - interval '2 minutes'
UNION ALL
SELECT format('customer %s: erased, and order %s keeps what was noted on it', e.user_id, o.id)
FROM erased_customers e JOIN orders o ON o.user_id = e.user_id::text
WHERE o.metadata <> '{}' AND o.created_at < now() - interval '2 minutes'
UNION ALL
SELECT format('customer %s: erased, and checkout %s keeps what was noted on it', e.user_id, c.id)
FROM erased_customers e JOIN orders o ON o.user_id = e.user_id::text JOIN checkouts c ON c.id = o.checkout_id
WHERE c.metadata <> '{}' AND c.created_at < now() - interval '2 minutes'
