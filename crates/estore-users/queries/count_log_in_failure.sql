-- Counts one more failure of each subject; one that was quiet for $2 seconds begins anew. Primary key.
INSERT INTO log_in_failures AS known (subject, failures)
SELECT subject, 1 FROM unnest($1::text[]) AS subject ORDER BY subject
ON CONFLICT (subject) DO UPDATE
SET failures = CASE
        WHEN known.last_at < now() - make_interval(secs => $2::double precision) THEN 1
        ELSE least(known.failures, 1000000) + 1
    END,
    last_at = now()
