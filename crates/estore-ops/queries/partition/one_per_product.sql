-- A checkout has one order of a product, whatever partitions its orders are in. Within a partition its own index holds
-- that; across partitions no index can, since it would have to hold the id. Whoever adds to a checkout that is not of
-- this transaction waits for others who do: then each sees the other's orders.
CREATE OR REPLACE FUNCTION refuse_second_order_of_product() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[] := ARRAY(SELECT DISTINCT checkout_id FROM added);
    twice uuid;
BEGIN
    PERFORM FROM checkouts WHERE id = ANY (touched) AND xmin <> pg_current_xact_id()::xid
    ORDER BY id FOR NO KEY UPDATE;
    SELECT checkout_id INTO twice FROM orders WHERE checkout_id = ANY (touched)
    GROUP BY checkout_id, product_id HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'checkout % has two orders of one product', twice
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'orders_one_per_product', TABLE = 'orders';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION refuse_other_checkout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order % keeps its checkout and product', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_one_per_product', TABLE = 'orders';
END $$;
CREATE TRIGGER orders_one_per_product AFTER INSERT ON orders
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_second_order_of_product();
CREATE TRIGGER orders_keep_product BEFORE UPDATE OF checkout_id, product_id ON orders FOR EACH ROW
    WHEN (OLD.checkout_id <> NEW.checkout_id OR OLD.product_id <> NEW.product_id)
    EXECUTE FUNCTION refuse_other_checkout()
