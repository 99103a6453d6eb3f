-- Changes of accounts and of what they may do are written down. An address is personal: that it changed is shown, and
-- not to what, for an account can be erased and this log cannot.
SELECT audit_changes_of('users', 'id', 'email,hashed_password', 'updated_at');
SELECT audit_changes_of('user_roles', 'user_id,role', '', '');
