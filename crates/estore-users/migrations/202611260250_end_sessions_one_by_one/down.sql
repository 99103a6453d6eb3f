UPDATE sessions SET end_reason = 'logout' WHERE end_reason = 'revoked';
ALTER TABLE sessions
    DROP CONSTRAINT sessions_end_reason_known,
    ADD CONSTRAINT sessions_end_reason_known CHECK (end_reason IN ('logout', 'reuse', 'password', 'deactivated', 'erased'));
DROP INDEX sessions_user;
CREATE INDEX sessions_user ON sessions (user_id);
