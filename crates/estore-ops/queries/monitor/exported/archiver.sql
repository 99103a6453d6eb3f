-- How archiving goes. One row; ages are null where nothing was archived, or nothing failed.
SELECT archived_count::float8 AS archived, failed_count::float8 AS failed,
    extract(epoch FROM clock_timestamp() - last_archived_time)::float8 AS archived_age,
    extract(epoch FROM clock_timestamp() - last_failed_time)::float8 AS failed_age
FROM pg_stat_archiver
