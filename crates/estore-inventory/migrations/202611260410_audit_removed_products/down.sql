DROP TRIGGER audit_truncate ON products;
DROP TRIGGER audit_delete ON products;
