-- Since when pg_stat_statements counts, and how often it dropped its least used statements for want of room.
SELECT dealloc AS dropped, stats_reset AS counted_since, current_setting('pg_stat_statements.max', true)::bigint AS statements_max
FROM pg_stat_statements_info
