DROP TRIGGER sessions_announce_removal ON sessions;
DROP TRIGGER sessions_announce_end ON sessions;
DROP FUNCTION announce_ended_session();
DROP TABLE ended_sessions;
