-- What a session of ours does: `working`, `gone`, or since when it waits for its client. The server's own view.
SELECT CASE WHEN count(*) = 0 THEN 'gone' WHEN bool_and(state LIKE 'idle%') THEN max(state_change)::text ELSE 'working' END
FROM pg_stat_activity WHERE application_name = $1
