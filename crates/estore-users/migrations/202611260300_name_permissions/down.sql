-- destructive: roles that give one permission
UPDATE sessions SET end_reason = 'logout' WHERE end_reason = 'roles';
ALTER TABLE sessions
    DROP CONSTRAINT sessions_end_reason_known,
    ADD CONSTRAINT sessions_end_reason_known CHECK (end_reason IN (
        'logout', 'revoked', 'reuse', 'password', 'deactivated', 'erased'));
DELETE FROM user_roles WHERE role <> 'staff';
ALTER TABLE user_roles
    DROP CONSTRAINT user_roles_known,
    ADD CONSTRAINT user_roles_known CHECK (role IN ('staff'));
