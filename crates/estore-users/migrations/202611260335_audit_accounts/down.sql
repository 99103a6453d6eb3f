DROP TRIGGER audit_insert ON users;
DROP TRIGGER audit_update ON users;
DROP TRIGGER audit_delete ON users;
DROP TRIGGER audit_truncate ON users;
DROP TRIGGER audit_insert ON user_roles;
DROP TRIGGER audit_update ON user_roles;
DROP TRIGGER audit_delete ON user_roles;
DROP TRIGGER audit_truncate ON user_roles;
