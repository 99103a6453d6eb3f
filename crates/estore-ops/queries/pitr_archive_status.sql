-- How archiving goes: settings, counters, the segments that wait. Statistics and folders of the server; no table.
SELECT current_setting('archive_mode') <> 'off' AS is_on,
       EXISTS (SELECT FROM pg_settings WHERE name = 'archive_mode' AND pending_restart) AS needs_restart,
       (SELECT setting::int FROM pg_settings WHERE name = 'archive_timeout') AS timeout_seconds,
       archiver.archived_count, archiver.last_archived_wal, archiver.last_archived_time,
       archiver.failed_count, archiver.last_failed_wal, archiver.last_failed_time,
       queue.waiting, queue.lag_seconds,
       (SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()) AS wal_bytes
FROM pg_stat_archiver archiver,
     (SELECT count(*) AS waiting,
             greatest(coalesce(extract(epoch FROM clock_timestamp() - min(modification)), 0), 0)::bigint AS lag_seconds
      FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') queue
