DROP TRIGGER audit_update ON products;
DROP TRIGGER audit_insert ON products;
DROP TRIGGER audit_insert ON categories;
DROP TRIGGER audit_update ON categories;
DROP TRIGGER audit_delete ON categories;
DROP TRIGGER audit_truncate ON categories;
