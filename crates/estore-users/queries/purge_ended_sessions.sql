-- Ended sessions whose access tokens have long expired; index ended_sessions_age.
DELETE FROM ended_sessions WHERE session_id IN (
    SELECT session_id FROM ended_sessions WHERE ended_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
