-- Takes a batch's lines off the stock, with their holds and movements, in one statement. Primary keys.
-- Fails (division by zero) where a product has fewer units than are taken, whatever was looked at before.
-- Lines join their holds so that a hold which another process wrote first is met as that, and not as its lines.
WITH line AS (
    SELECT * FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::int4[])
        AS l (checkout_id, product_id, quantity, unit_price)
), taken AS (
    UPDATE products SET quantity = products.quantity - wanted.units
    FROM (SELECT product_id, sum(quantity)::int4 AS units FROM line GROUP BY product_id) wanted
    WHERE products.id = wanted.product_id AND products.quantity >= wanted.units
    RETURNING products.id, products.name, products.quantity, products.min_stock_level, wanted.units
), low AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'product.low_stock', 'product/' || id, jsonb_build_object('id', id, 'name', name, 'quantity', quantity,
        'min_stock_level', min_stock_level)
    FROM taken WHERE quantity <= min_stock_level AND quantity + units > min_stock_level
), hold AS (
    INSERT INTO holds (checkout_id, state) SELECT DISTINCT checkout_id, 'held' FROM line ORDER BY checkout_id
    RETURNING checkout_id
), held AS (
    INSERT INTO hold_lines (checkout_id, product_id, quantity, unit_price)
    SELECT checkout_id, product_id, quantity, unit_price FROM hold JOIN line USING (checkout_id)
), movement AS (
    INSERT INTO stock_movements (product_id, delta, kind, checkout_id)
    SELECT product_id, -quantity, 'hold', checkout_id FROM line
)
SELECT 1 / (count(*) = (SELECT count(DISTINCT product_id) FROM line))::integer FROM taken
