-- Edits of the catalogue are written down. A sale changes the quantity of a product alone, and must cost nothing more:
-- stock has its own book, and the trigger for edits names their columns, which one that sees a statement's rows cannot.
SELECT audit_changes_of('categories', 'id', '', 'updated_at');
CREATE TRIGGER audit_insert AFTER INSERT ON products REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION write_audit_log('id', '', 'quantity,search_document,updated_at');
CREATE TRIGGER audit_update
    AFTER UPDATE OF id, name, description, price, category_id, image_url, min_stock_level, is_active, created_at, metadata,
        import_key ON products
    FOR EACH ROW EXECUTE FUNCTION write_audit_log_of_row('id', '', 'quantity,search_document,updated_at');
