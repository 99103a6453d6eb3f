-- Failures that are due to be removed; index log_in_failures_age.
SELECT count(*) FROM log_in_failures WHERE last_at < now() - make_interval(secs => $1::double precision)
