-- Takes a product off sale, if the edition is still the one that was read; once is enough. Primary key.
UPDATE products SET
    is_active = false,
    updated_at = CASE WHEN is_active
        THEN greatest(clock_timestamp(), coalesce(updated_at, created_at) + interval '1 microsecond')
        ELSE updated_at END
WHERE id = $1 AND ($2::timestamptz[] IS NULL OR coalesce(updated_at, created_at) = ANY ($2))
RETURNING coalesce(updated_at, created_at) AS edited_at
