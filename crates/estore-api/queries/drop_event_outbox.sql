-- Removes events that have been told. Not waiting for the disk: told twice does no harm. Primary key.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
DELETE FROM event_outbox USING quick WHERE id = ANY ($1::bigint[])
