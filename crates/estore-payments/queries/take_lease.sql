-- Takes or keeps a job for some seconds unless another process has it. Primary key.
INSERT INTO job_leases (name, holder, held_until)
VALUES ($1, $2, now() + make_interval(secs => $3::double precision))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE job_leases.holder = excluded.holder OR job_leases.held_until < now() OR $4::boolean
