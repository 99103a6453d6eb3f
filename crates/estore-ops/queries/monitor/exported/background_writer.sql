-- Checkpoints and buffers written. One row; what a server's version does not count any more there is null.
SELECT (w ->> 'checkpoints_timed')::float8 AS checkpoints_timed, (w ->> 'checkpoints_req')::float8 AS checkpoints_req,
    (w ->> 'checkpoint_write_time')::float8 AS checkpoint_write_time,
    (w ->> 'checkpoint_sync_time')::float8 AS checkpoint_sync_time,
    (w ->> 'buffers_checkpoint')::float8 AS buffers_checkpoint, (w ->> 'buffers_clean')::float8 AS buffers_clean,
    (w ->> 'maxwritten_clean')::float8 AS maxwritten_clean, (w ->> 'buffers_backend')::float8 AS buffers_backend,
    (w ->> 'buffers_backend_fsync')::float8 AS buffers_backend_fsync, (w ->> 'buffers_alloc')::float8 AS buffers_alloc
FROM (SELECT to_jsonb(b) AS w FROM pg_stat_bgwriter b) row
