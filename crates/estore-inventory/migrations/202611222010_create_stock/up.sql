-- Stock: every change of a quantity is a row, and a checkout's hold is known by the checkout.

-- Products are deactivated, never deleted: movements, holds and orders name them for ever. That is also why the
-- tables below need no foreign key to products, which would be paid for on every unit sold.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are kept as they are: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
END
$$;
CREATE TRIGGER products_are_kept BEFORE DELETE OR TRUNCATE ON products
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE stock_movements (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    product_id INTEGER NOT NULL,
    delta INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    reason VARCHAR(255),
    checkout_id UUID,
    order_id INTEGER,
    actor_user_id INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    -- One index serves as the key and for a product's history: each unit sold writes it once.
    PRIMARY KEY (product_id, id),
    CONSTRAINT stock_movements_delta_moves CHECK (delta <> 0),
    CONSTRAINT stock_movements_kind_known CHECK (kind IN ('initial', 'import', 'adjustment', 'hold', 'release', 'restock')),
    CONSTRAINT stock_movements_sign CHECK (
        CASE kind WHEN 'hold' THEN delta < 0 WHEN 'initial' THEN delta > 0 WHEN 'release' THEN delta > 0
                  WHEN 'restock' THEN delta > 0 ELSE true END
    ),
    CONSTRAINT stock_movements_checkout_named CHECK ((kind IN ('hold', 'release', 'restock')) = (checkout_id IS NOT NULL)),
    CONSTRAINT stock_movements_order_named CHECK ((kind = 'restock') = (order_id IS NOT NULL))
);
CREATE UNIQUE INDEX idx_stock_movements_restock ON stock_movements(order_id) WHERE kind = 'restock';
CREATE TRIGGER stock_movements_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE holds (
    checkout_id UUID PRIMARY KEY,
    state VARCHAR(16) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT holds_state_known CHECK (state IN ('held', 'sold', 'released'))
);
CREATE INDEX idx_holds_open ON holds(checkout_id) WHERE state = 'held';

-- A line is written in the statement that writes its hold, joined to it; a foreign key would look the hold up once
-- more for every line, a fifth of the work of a sale. The checks of `estore verify` look instead.
CREATE TABLE hold_lines (
    checkout_id UUID NOT NULL,
    product_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    PRIMARY KEY (checkout_id, product_id),
    CONSTRAINT hold_lines_quantity_positive CHECK (quantity > 0),
    CONSTRAINT hold_lines_unit_price_not_negative CHECK (unit_price >= 0)
);
