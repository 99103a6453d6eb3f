-- A page of payment methods with the details of those whose owner is told, for those who look after keys. Primary key.
SELECT id::text AS key, details_sealed_for::text AS row,
    CASE WHEN details_sealed_for IS NOT NULL THEN details::text END AS text
FROM payment_methods WHERE id > $1::text::integer ORDER BY id LIMIT $2
