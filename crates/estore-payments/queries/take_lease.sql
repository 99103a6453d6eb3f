-- Takes or keeps a job for some seconds unless another process has it. Primary key.
-- The commit does not wait for the disk: a lease that a crash takes away is one that ended early.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO job_leases (name, holder, held_until)
SELECT $1, $2, now() + make_interval(secs => $3::double precision) FROM quick
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE job_leases.holder = excluded.holder OR job_leases.held_until < now() OR $4::boolean
