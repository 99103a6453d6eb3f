-- Ended sessions that are due to be removed; index ended_sessions_age.
SELECT count(*) FROM ended_sessions WHERE ended_at < now() - make_interval(secs => $1::double precision)
