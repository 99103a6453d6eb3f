-- The shop removes no product, it takes them off the market; whoever does it by hand is written down. A sale wakes neither.
CREATE TRIGGER audit_delete AFTER DELETE ON products REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION write_audit_log('id', '', 'quantity,search_document,updated_at');
CREATE TRIGGER audit_truncate AFTER TRUNCATE ON products
    FOR EACH STATEMENT EXECUTE FUNCTION write_audit_log('id', '', 'quantity,search_document,updated_at');
