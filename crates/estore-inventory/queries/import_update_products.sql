-- Changes the products that are known and differ, locked in id order, with the movements of their stock by whoever the
-- transaction is of. Primary key.
WITH target AS (
    SELECT p.id, p.quantity AS before, s.name, w.description, s.price, coalesce(s.quantity, p.quantity) AS quantity,
        w.category_id, w.image_url, w.min_stock_level, coalesce(s.is_active, p.is_active) AS is_active, w.metadata,
        coalesce(s.key, p.import_key) AS import_key,
        (p.name, coalesce(p.description, ''), p.price, p.category_id, coalesce(p.image_url, ''), p.min_stock_level,
            p.is_active, p.metadata)
        IS DISTINCT FROM (s.name, coalesce(w.description, ''), s.price, w.category_id, coalesce(w.image_url, ''),
            w.min_stock_level, coalesce(s.is_active, p.is_active), w.metadata) AS is_edited
    FROM import_rows s JOIN products p ON p.id = s.product_id, LATERAL (
        SELECT CASE WHEN $2::boolean THEN s.description ELSE p.description END AS description,
            CASE WHEN $3::boolean THEN ($1::int4[])[s.category] ELSE p.category_id END AS category_id,
            CASE WHEN $4::boolean THEN s.image_url ELSE p.image_url END AS image_url,
            CASE WHEN $5::boolean THEN coalesce(s.min_stock_level, 0) ELSE p.min_stock_level END AS min_stock_level,
            CASE WHEN $6::boolean THEN s.metadata ELSE p.metadata || s.metadata END AS metadata
    ) w
    WHERE (p.name, coalesce(p.description, ''), p.price, p.category_id, coalesce(p.image_url, ''), p.min_stock_level,
            p.is_active, p.metadata, p.quantity, p.import_key)
        IS DISTINCT FROM (s.name, coalesce(w.description, ''), s.price, w.category_id, coalesce(w.image_url, ''),
            w.min_stock_level, coalesce(s.is_active, p.is_active), w.metadata, coalesce(s.quantity, p.quantity),
            coalesce(s.key, p.import_key))
    ORDER BY p.id
    FOR NO KEY UPDATE OF p
), changed AS (
    UPDATE products SET
        name = t.name, description = t.description, price = t.price, quantity = t.quantity,
        category_id = t.category_id, image_url = t.image_url, min_stock_level = t.min_stock_level,
        is_active = t.is_active, metadata = t.metadata, import_key = t.import_key,
        updated_at = CASE WHEN t.is_edited
            THEN greatest(clock_timestamp(), coalesce(updated_at, created_at) + interval '1 microsecond')
            ELSE updated_at END
    FROM target t
    WHERE products.id = t.id
    RETURNING products.id, products.name, products.min_stock_level, products.is_active, t.before, t.quantity
), low AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'product.low_stock', 'product/' || id, jsonb_build_object('id', id, 'name', name, 'quantity', quantity,
        'min_stock_level', min_stock_level)
    FROM changed WHERE is_active AND quantity <= min_stock_level AND before > min_stock_level
    ORDER BY id
), movement AS (
    INSERT INTO stock_movements (product_id, delta, kind, actor_user_id)
    SELECT id, quantity - before, 'import', nullif(current_setting('estore.user_id', true), '')::int FROM changed WHERE quantity <> before
)
SELECT count(*) FROM changed
