-- destructive: which sessions have ended of late; their access tokens are taken again until they expire
DROP TRIGGER sessions_announce_removal ON sessions;
DROP TRIGGER sessions_announce_end ON sessions;
DROP FUNCTION announce_ended_session();
DROP TABLE ended_sessions;
