//! Which figure is which of psql's.

/// A figure of the page and the SQL that psql answers it by: rows of label values and the value.
pub struct Compared {
    pub name: &'static str,
    pub labels: &'static [&'static str],
    pub database: &'static str,
    pub sql: &'static str,
}

const fn of(name: &'static str, labels: &'static [&'static str], sql: &'static str) -> Compared {
    Compared { name, labels, database: "payments", sql }
}

const BY_DATABASE: &[&str] = &["datname"];
const BY_TABLE: &[&str] = &["schemaname", "relname"];
/// Values that may have moved on between two looks: psql's are taken before and after the page.
pub const COMPARED: &[Compared] = &[
    of("pg_settings_max_connections", &[], "SHOW max_connections"),
    of("pg_settings_superuser_reserved_connections", &[], "SHOW superuser_reserved_connections"),
    of("pg_settings_autovacuum_freeze_max_age", &[], "SHOW autovacuum_freeze_max_age"),
    of(
        "pg_settings_shared_buffers_bytes",
        &[],
        "SELECT setting::int8 * 8192 FROM pg_settings WHERE name = 'shared_buffers'",
    ),
    of("pg_postmaster_start_time_seconds", &[], "SELECT extract(epoch FROM pg_postmaster_start_time())::float8"),
    of("pg_replication_is_replica", &[], "SELECT pg_is_in_recovery()::int"),
    of(
        "pg_database_size_bytes",
        BY_DATABASE,
        "SELECT d, pg_database_size(d) FROM unnest(ARRAY['estore_users', \
        'estore_inventory', 'estore_payments']::name[]) d",
    ),
    of(
        "pg_stat_database_xact_commit",
        BY_DATABASE,
        "SELECT datname, xact_commit FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_xact_rollback",
        BY_DATABASE,
        "SELECT datname, xact_rollback FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_blks_hit",
        BY_DATABASE,
        "SELECT datname, blks_hit FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_blks_read",
        BY_DATABASE,
        "SELECT datname, blks_read FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_returned",
        BY_DATABASE,
        "SELECT datname, tup_returned FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_fetched",
        BY_DATABASE,
        "SELECT datname, tup_fetched FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_inserted",
        BY_DATABASE,
        "SELECT datname, tup_inserted FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_updated",
        BY_DATABASE,
        "SELECT datname, tup_updated FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_deleted",
        BY_DATABASE,
        "SELECT datname, tup_deleted FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_deadlocks",
        BY_DATABASE,
        "SELECT datname, deadlocks FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_conflicts",
        BY_DATABASE,
        "SELECT datname, conflicts FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_temp_bytes",
        BY_DATABASE,
        "SELECT datname, temp_bytes FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_checksum_failures",
        BY_DATABASE,
        "SELECT datname, checksum_failures FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions",
        BY_DATABASE,
        "SELECT datname, sessions FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions_abandoned",
        BY_DATABASE,
        "SELECT datname, sessions_abandoned FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions_fatal",
        BY_DATABASE,
        "SELECT datname, sessions_fatal FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions_killed",
        BY_DATABASE,
        "SELECT datname, sessions_killed FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_database_wraparound_age_datfrozenxid_seconds",
        BY_DATABASE,
        "SELECT datname, age(datfrozenxid) FROM pg_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_database_wraparound_age_datminmxid_seconds",
        BY_DATABASE,
        "SELECT datname, mxid_age(datminmxid) FROM pg_database WHERE datname LIKE 'estore%'",
    ),
    of("pg_stat_bgwriter_checkpoints_timed_total", &[], "SELECT checkpoints_timed FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_checkpoints_req_total", &[], "SELECT checkpoints_req FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_buffers_checkpoint_total", &[], "SELECT buffers_checkpoint FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_buffers_backend_total", &[], "SELECT buffers_backend FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_buffers_alloc_total", &[], "SELECT buffers_alloc FROM pg_stat_bgwriter"),
    of("pg_stat_archiver_archived_count", &[], "SELECT archived_count FROM pg_stat_archiver"),
    of("pg_stat_archiver_failed_count", &[], "SELECT failed_count FROM pg_stat_archiver"),
    of("pg_wal_segments", &[], "SELECT count(*) FROM pg_ls_waldir() WHERE length(name) = 24"),
    of("pg_stat_user_tables_seq_scan", BY_TABLE, "SELECT schemaname, relname, seq_scan FROM pg_stat_user_tables"),
    of(
        "pg_stat_user_tables_idx_scan",
        BY_TABLE,
        "SELECT schemaname, relname, coalesce(idx_scan, 0) FROM pg_stat_user_tables",
    ),
    of("pg_stat_user_tables_n_tup_ins", BY_TABLE, "SELECT schemaname, relname, n_tup_ins FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_tup_upd", BY_TABLE, "SELECT schemaname, relname, n_tup_upd FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_tup_del", BY_TABLE, "SELECT schemaname, relname, n_tup_del FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_live_tup", BY_TABLE, "SELECT schemaname, relname, n_live_tup FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_dead_tup", BY_TABLE, "SELECT schemaname, relname, n_dead_tup FROM pg_stat_user_tables"),
    of(
        "pg_stat_user_tables_table_size_bytes",
        BY_TABLE,
        "SELECT schemaname, c.relname, pg_relation_size(relid) FROM pg_stat_user_tables JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
    ),
    of(
        "pg_stat_user_tables_index_size_bytes",
        BY_TABLE,
        "SELECT schemaname, c.relname, pg_indexes_size(relid) FROM pg_stat_user_tables JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
    ),
    of(
        "pg_stat_user_tables_toast_size_bytes",
        BY_TABLE,
        "SELECT schemaname, c.relname, \
        pg_table_size(relid) - pg_relation_size(relid) - pg_relation_size(relid, 'fsm') - pg_relation_size(relid, 'vm') \
        - pg_relation_size(relid, 'init') FROM pg_stat_user_tables JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
    ),
    of(
        "pg_stat_user_indexes_idx_scan",
        &["relname", "indexrelname"],
        "SELECT relname, indexrelname, idx_scan FROM pg_stat_user_indexes",
    ),
    of("pg_index_invalid_count", &[], "SELECT count(*) FROM pg_index WHERE NOT indisvalid"),
    of(
        "pg_sequence_used_ratio",
        &["sequencename"],
        "SELECT 'orders_id_seq', ((SELECT last_value FROM orders_id_seq)::numeric / 2147483647)::float8",
    ),
];
