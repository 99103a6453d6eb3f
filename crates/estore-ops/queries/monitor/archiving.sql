-- Whether the write-ahead log is archived, since when, and what failed; how far a standby is behind, in milliseconds.
SELECT current_setting('archive_mode') AS mode, a.archived_count AS archived, a.last_archived_wal AS archived_last,
    a.last_archived_time AS archived_at, a.failed_count AS failed, a.last_failed_wal AS failed_last, a.last_failed_time AS failed_at,
    coalesce(a.last_failed_time > a.last_archived_time OR (a.failed_count > 0 AND a.last_archived_time IS NULL), false) AS is_failing,
    a.stats_reset AS counted_since,
    CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
         THEN (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint END AS standby_behind_ms
FROM pg_stat_archiver a
