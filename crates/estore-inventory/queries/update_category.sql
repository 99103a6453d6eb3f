-- Changes the fields whose flag is set, if the edition is still the one that was read. Primary key.
UPDATE categories SET
    name = CASE WHEN $3::boolean THEN $4::varchar ELSE name END,
    description = CASE WHEN $5::boolean THEN $6::text ELSE description END,
    parent_id = CASE WHEN $7::boolean THEN $8::int4 ELSE parent_id END,
    is_active = CASE WHEN $9::boolean THEN $10::boolean ELSE is_active END,
    updated_at = greatest(clock_timestamp(), coalesce(updated_at, created_at) + interval '1 microsecond')
WHERE id = $1 AND ($2::timestamptz[] IS NULL OR coalesce(updated_at, created_at) = ANY ($2))
RETURNING id, name, description, parent_id, is_active, created_at, updated_at
