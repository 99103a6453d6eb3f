-- Failures that no longer make anybody wait; index log_in_failures_age.
DELETE FROM log_in_failures WHERE subject IN (
    SELECT subject FROM log_in_failures WHERE last_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
