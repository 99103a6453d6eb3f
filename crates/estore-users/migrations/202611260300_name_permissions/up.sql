-- Roles that give one permission each, beside those who handle orders; whoever loses one is logged out.
ALTER TABLE user_roles
    DROP CONSTRAINT user_roles_known,
    ADD CONSTRAINT user_roles_known CHECK (role IN ('staff', 'catalogue', 'orders', 'refunds', 'users', 'operations'));
ALTER TABLE sessions
    DROP CONSTRAINT sessions_end_reason_known,
    ADD CONSTRAINT sessions_end_reason_known CHECK (end_reason IN (
        'logout', 'revoked', 'reuse', 'password', 'deactivated', 'roles', 'erased'));
