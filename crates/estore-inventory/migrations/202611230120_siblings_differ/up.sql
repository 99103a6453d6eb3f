-- No two categories under one parent have the same name: people could not tell them apart, nor could an import that
-- names categories by their path. A trigger, not an index: siblings that are alike already may stay until renamed.
CREATE FUNCTION categories_keep_siblings_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id AND btrim(NEW.name) = btrim(OLD.name) THEN
            RETURN NEW;
        END IF;
    END IF;
    -- Every change of the tree waits for the one before, as for its depth.
    PERFORM pg_advisory_xact_lock(hashtext('estore.categories'));
    PERFORM FROM categories c
    WHERE c.parent_id IS NOT DISTINCT FROM NEW.parent_id AND btrim(c.name) = btrim(NEW.name) AND c.id <> NEW.id;
    IF FOUND THEN
        RAISE EXCEPTION 'a sibling is named %', NEW.name
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'categories_name_taken';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER categories_keep_siblings_apart BEFORE INSERT OR UPDATE OF parent_id, name ON categories
    FOR EACH ROW EXECUTE FUNCTION categories_keep_siblings_apart();
