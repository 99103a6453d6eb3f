-- Ends endpoints whose receivers say that they are gone, if they still stand at that address. In key order.
-- Primary key.
UPDATE webhook_endpoints p
SET is_active = false, inactive_reason = 'the receiver answered 410 Gone', updated_at = now()
WHERE p.id IN (
    SELECT e.id FROM webhook_endpoints e JOIN unnest($1::uuid[], $2::text[]) AS a (id, url) ON a.id = e.id AND a.url = e.url
    WHERE e.is_active ORDER BY e.id FOR NO KEY UPDATE OF e)
RETURNING p.id
