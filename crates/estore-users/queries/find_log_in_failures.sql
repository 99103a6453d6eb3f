-- How often log-ins of a subject failed of late; primary key.
SELECT failures, extract(epoch FROM now() - last_at)::bigint AS seconds FROM log_in_failures WHERE subject = $1
