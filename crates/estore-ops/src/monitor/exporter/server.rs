//! Figures of a server: once for each, whichever of its databases is asked.

use super::collector::{Collector, counter, gauge};

pub(super) const COLLECTORS: &[Collector] = &[
    SERVER,
    VERSION,
    ACTIVITY,
    DATABASES,
    DATABASE_SIZES,
    LOCKS,
    BLOCKED,
    BACKGROUND_WRITER,
    ARCHIVER,
    ARCHIVE_LAG,
    WAL,
    STANDBYS,
    REPLICATION_SLOTS,
];

const SERVER: Collector = Collector {
    name: "server",
    sql: include_str!("../../../queries/monitor/exported/server.sql"),
    labels: &[],
    figures: &[
        gauge("started", "pg_postmaster_start_time_seconds", "When the server started, in Unix time."),
        gauge("max_connections", "pg_settings_max_connections", "Sessions that the server takes."),
        gauge(
            "reserved_connections",
            "pg_settings_superuser_reserved_connections",
            "Sessions of them that are kept for superusers.",
        ),
        gauge("shared_buffers", "pg_settings_shared_buffers_bytes", "The server's own cache."),
        gauge(
            "freeze_max_age",
            "pg_settings_autovacuum_freeze_max_age",
            "Age of a table in transactions at which vacuum is forced.",
        ),
        gauge("archive_mode", "pg_settings_archive_mode", "Whether the write-ahead log is archived."),
        gauge("is_replica", "pg_replication_is_replica", "Whether the server is a standby."),
        gauge("lag", "pg_replication_lag_seconds", "How far this standby is behind."),
    ],
};

const VERSION: Collector = Collector {
    name: "version",
    sql: include_str!("../../../queries/monitor/exported/server.sql"),
    labels: &["version", "short_version"],
    figures: &[gauge("one", "pg_static", "The server's version.")],
};

const ACTIVITY: Collector = Collector {
    name: "stat_activity",
    sql: include_str!("../../../queries/monitor/exported/activity.sql"),
    labels: &["datname", "state", "usename"],
    figures: &[
        gauge("sessions", "pg_stat_activity_count", "Client sessions in this state."),
        gauge(
            "transaction_seconds",
            "pg_stat_activity_max_tx_duration",
            "Age of their oldest transaction, in seconds.",
        ),
        gauge("session_seconds", "pg_stat_activity_max_session_seconds", "Age of the oldest of these sessions."),
    ],
};

const DATABASES: Collector = Collector {
    name: "stat_database",
    sql: include_str!("../../../queries/monitor/exported/databases.sql"),
    labels: &["datname"],
    figures: &[
        gauge("numbackends", "pg_stat_database_numbackends", "Sessions."),
        counter("xact_commit", "pg_stat_database_xact_commit", "Transactions committed."),
        counter("xact_rollback", "pg_stat_database_xact_rollback", "Transactions rolled back."),
        counter("blks_read", "pg_stat_database_blks_read", "Blocks read from outside of the server's cache."),
        counter("blks_hit", "pg_stat_database_blks_hit", "Blocks found in the server's cache."),
        counter("tup_returned", "pg_stat_database_tup_returned", "Rows read by scans."),
        counter("tup_fetched", "pg_stat_database_tup_fetched", "Rows fetched by index scans."),
        counter("tup_inserted", "pg_stat_database_tup_inserted", "Rows inserted."),
        counter("tup_updated", "pg_stat_database_tup_updated", "Rows updated."),
        counter("tup_deleted", "pg_stat_database_tup_deleted", "Rows deleted."),
        counter("conflicts", "pg_stat_database_conflicts", "Queries ended by recovery on a standby."),
        counter("temp_files", "pg_stat_database_temp_files", "Temporary files written."),
        counter("temp_bytes", "pg_stat_database_temp_bytes", "Bytes of temporary files."),
        counter("deadlocks", "pg_stat_database_deadlocks", "Deadlocks."),
        counter("checksum_failures", "pg_stat_database_checksum_failures", "Pages with a wrong checksum."),
        counter("read_seconds", "pg_stat_database_blk_read_time_seconds", "Time spent reading blocks."),
        counter("write_seconds", "pg_stat_database_blk_write_time_seconds", "Time spent writing blocks."),
        counter("session_seconds", "pg_stat_database_session_time_seconds", "Time that sessions were there."),
        counter("active_seconds", "pg_stat_database_active_time_seconds_total", "Time that sessions worked."),
        counter(
            "idle_in_transaction_seconds",
            "pg_stat_database_idle_in_transaction_time_seconds",
            "Time that sessions held a transaction and did nothing.",
        ),
        counter("sessions", "pg_stat_database_sessions", "Sessions so far."),
        counter("sessions_abandoned", "pg_stat_database_sessions_abandoned", "Sessions whose client was lost."),
        counter("sessions_fatal", "pg_stat_database_sessions_fatal", "Sessions ended by an error."),
        counter("sessions_killed", "pg_stat_database_sessions_killed", "Sessions ended by an operator."),
        gauge("stats_reset", "pg_stat_database_stats_reset", "Since when is counted, in Unix time."),
        gauge(
            "frozen_age",
            "pg_database_wraparound_age_datfrozenxid_seconds",
            "Age of the oldest transaction id, in transactions (named as postgres_exporter does).",
        ),
        gauge(
            "multixact_age",
            "pg_database_wraparound_age_datminmxid_seconds",
            "Age of the oldest multixact id, in multixacts (named as postgres_exporter does).",
        ),
        gauge("connection_limit", "pg_database_connection_limit", "Sessions that the database takes; -1 for any."),
    ],
};

const DATABASE_SIZES: Collector = Collector {
    name: "database",
    sql: include_str!("../../../queries/monitor/exported/database_sizes.sql"),
    labels: &["datname"],
    figures: &[gauge("bytes", "pg_database_size_bytes", "Size on disk.")],
};

const LOCKS: Collector = Collector {
    name: "locks",
    sql: include_str!("../../../queries/monitor/exported/locks.sql"),
    labels: &["datname", "mode"],
    figures: &[gauge("locks", "pg_locks_count", "Locks held or waited for.")],
};

const BLOCKED: Collector = Collector {
    name: "blocked",
    sql: include_str!("../../../queries/monitor/exported/blocked.sql"),
    labels: &[],
    figures: &[
        gauge("sessions", "pg_blocked_sessions", "Sessions that wait for a lock."),
        gauge("longest_seconds", "pg_longest_blocked_seconds", "The longest wait for a lock."),
    ],
};

const BACKGROUND_WRITER: Collector = Collector {
    name: "stat_bgwriter",
    sql: include_str!("../../../queries/monitor/exported/background_writer.sql"),
    labels: &[],
    figures: &[
        counter("checkpoints_timed", "pg_stat_bgwriter_checkpoints_timed_total", "Checkpoints by the clock."),
        counter(
            "checkpoints_req",
            "pg_stat_bgwriter_checkpoints_req_total",
            "Checkpoints on demand, or forced by writing.",
        ),
        counter("checkpoint_write_time", "pg_stat_bgwriter_checkpoint_write_time_total", "Milliseconds of writing."),
        counter("checkpoint_sync_time", "pg_stat_bgwriter_checkpoint_sync_time_total", "Milliseconds of syncing."),
        counter("buffers_checkpoint", "pg_stat_bgwriter_buffers_checkpoint_total", "Buffers written by checkpoints."),
        counter("buffers_clean", "pg_stat_bgwriter_buffers_clean_total", "Buffers written by the background writer."),
        counter("maxwritten_clean", "pg_stat_bgwriter_maxwritten_clean_total", "Rounds that stopped at their bound."),
        counter("buffers_backend", "pg_stat_bgwriter_buffers_backend_total", "Buffers that sessions had to write."),
        counter(
            "buffers_backend_fsync",
            "pg_stat_bgwriter_buffers_backend_fsync_total",
            "Syncs that sessions had to do.",
        ),
        counter("buffers_alloc", "pg_stat_bgwriter_buffers_alloc_total", "Buffers allocated."),
    ],
};

const ARCHIVER: Collector = Collector {
    name: "stat_archiver",
    sql: include_str!("../../../queries/monitor/exported/archiver.sql"),
    labels: &[],
    figures: &[
        counter("archived", "pg_stat_archiver_archived_count", "Log files archived."),
        counter("failed", "pg_stat_archiver_failed_count", "Attempts that failed."),
        gauge("archived_age", "pg_stat_archiver_last_archive_age", "Seconds since a file was archived."),
        gauge("failed_age", "pg_stat_archiver_last_failed_age_seconds", "Seconds since an attempt failed."),
    ],
};

const ARCHIVE_LAG: Collector = Collector {
    name: "archive_lag",
    sql: include_str!("../../../queries/monitor/archive_lag.sql"),
    labels: &[],
    figures: &[
        gauge("files", "pg_archive_waiting_files", "Log files that wait to be archived."),
        gauge("seconds", "pg_archive_waiting_seconds", "How long the oldest of them has waited."),
    ],
};

const WAL: Collector = Collector {
    name: "wal",
    sql: include_str!("../../../queries/monitor/exported/wal.sql"),
    labels: &[],
    figures: &[
        gauge("segments", "pg_wal_segments", "Files of the write-ahead log."),
        gauge("bytes", "pg_wal_size_bytes", "Size of the write-ahead log."),
    ],
};

const STANDBYS: Collector = Collector {
    name: "stat_replication",
    sql: include_str!("../../../queries/monitor/exported/standbys.sql"),
    labels: &["application_name", "client_addr", "state"],
    figures: &[
        gauge("behind_bytes", "pg_stat_replication_pg_wal_lsn_diff", "Bytes of log that a standby has not applied."),
        gauge("lag_seconds", "pg_stat_replication_replay_lag_seconds", "How long commits take to be seen there."),
    ],
};

const REPLICATION_SLOTS: Collector = Collector {
    name: "replication_slots",
    sql: include_str!("../../../queries/monitor/exported/replication_slots.sql"),
    labels: &["slot_name"],
    figures: &[
        gauge("active", "pg_replication_slots_active", "Whether somebody reads the slot."),
        gauge("kept_bytes", "pg_replication_slots_pg_wal_lsn_diff", "Bytes of log that the slot keeps."),
    ],
};
