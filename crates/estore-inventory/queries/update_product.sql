-- Changes the fields whose flag is set, if the edition is still the one that was read; imports know it
-- by what its metadata say now, and by its name if they did so before. Primary key.
UPDATE products SET
    name = CASE WHEN $3::boolean THEN $4::varchar ELSE name END,
    description = CASE WHEN $5::boolean THEN $6::text ELSE description END,
    price = CASE WHEN $7::boolean THEN $8::int4 ELSE price END,
    category_id = CASE WHEN $9::boolean THEN $10::int4 ELSE category_id END,
    image_url = CASE WHEN $11::boolean THEN $12::varchar ELSE image_url END,
    min_stock_level = CASE WHEN $13::boolean THEN $14::int4 ELSE min_stock_level END,
    is_active = CASE WHEN $15::boolean THEN $16::boolean ELSE is_active END,
    metadata = CASE WHEN $17::boolean THEN $18::jsonb ELSE metadata END,
    import_key = CASE
        WHEN NOT $17::boolean THEN import_key
        WHEN $19::text IS NOT NULL THEN $19
        WHEN import_key LIKE 'name:%' THEN import_key
    END,
    updated_at = greatest(clock_timestamp(), coalesce(updated_at, created_at) + interval '1 microsecond')
WHERE id = $1 AND ($2::timestamptz[] IS NULL OR coalesce(updated_at, created_at) = ANY ($2))
RETURNING id, name, description, price, quantity, category_id, image_url, min_stock_level, is_active, created_at, updated_at, metadata, search_document, statement_timestamp() AS stock_as_of
