-- A person looks at their open sessions page by page, and ends one or all others.
DROP INDEX sessions_user;
CREATE INDEX sessions_user ON sessions (user_id, id);
ALTER TABLE sessions
    DROP CONSTRAINT sessions_end_reason_known,
    ADD CONSTRAINT sessions_end_reason_known CHECK (end_reason IN (
        'logout', 'revoked', 'reuse', 'password', 'deactivated', 'erased'));
