-- The sessions that ended within $1 seconds; index ended_sessions_age.
SELECT session_id FROM ended_sessions
WHERE ended_at > now() - make_interval(secs => $1::int8)
ORDER BY ended_at
