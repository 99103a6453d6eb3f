-- Sessions that ended while access tokens of theirs may still be good. Whoever ends one, every process hears of it.
CREATE TABLE ended_sessions (
    session_id UUID PRIMARY KEY,
    ended_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ended_sessions_age ON ended_sessions (ended_at);
CREATE FUNCTION announce_ended_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ended_sessions (session_id) VALUES (OLD.id) ON CONFLICT (session_id) DO NOTHING;
    PERFORM pg_notify('ended_sessions', OLD.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER sessions_announce_end AFTER UPDATE OF ended_at ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION announce_ended_session();
-- An erased account leaves no session behind.
CREATE TRIGGER sessions_announce_removal AFTER DELETE ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND OLD.expires_at > now()) EXECUTE FUNCTION announce_ended_session();
