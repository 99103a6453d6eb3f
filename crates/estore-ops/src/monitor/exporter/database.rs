//! Figures of what is in a database.

use super::collector::{Collector, counter, gauge};

pub(super) const COLLECTORS: &[Collector] = &[TABLES, TABLE_SIZES, INDEXES, INVALID_INDEXES, SEQUENCES];

const TABLES: Collector = Collector {
    name: "stat_user_tables",
    sql: include_str!("../../../queries/monitor/exported/tables.sql"),
    labels: &["schemaname", "relname"],
    figures: &[
        counter("seq_scan", "pg_stat_user_tables_seq_scan", "Scans of the whole table."),
        counter("seq_tup_read", "pg_stat_user_tables_seq_tup_read", "Rows read by them."),
        counter("idx_scan", "pg_stat_user_tables_idx_scan", "Scans by an index."),
        counter("idx_tup_fetch", "pg_stat_user_tables_idx_tup_fetch", "Rows fetched by them."),
        counter("n_tup_ins", "pg_stat_user_tables_n_tup_ins", "Rows inserted."),
        counter("n_tup_upd", "pg_stat_user_tables_n_tup_upd", "Rows updated."),
        counter("n_tup_del", "pg_stat_user_tables_n_tup_del", "Rows deleted."),
        counter("n_tup_hot_upd", "pg_stat_user_tables_n_tup_hot_upd", "Rows updated without touching an index."),
        gauge("n_live_tup", "pg_stat_user_tables_n_live_tup", "Rows, by estimate."),
        gauge("n_dead_tup", "pg_stat_user_tables_n_dead_tup", "Dead rows, by estimate."),
        gauge("n_mod_since_analyze", "pg_stat_user_tables_n_mod_since_analyze", "Rows changed since the last ANALYZE."),
        gauge("last_vacuum", "pg_stat_user_tables_last_vacuum", "Last VACUUM by hand, in Unix time; 0 for never."),
        gauge("last_autovacuum", "pg_stat_user_tables_last_autovacuum", "Last automatic VACUUM."),
        gauge("last_analyze", "pg_stat_user_tables_last_analyze", "Last ANALYZE by hand."),
        gauge("last_autoanalyze", "pg_stat_user_tables_last_autoanalyze", "Last automatic ANALYZE."),
        counter("vacuum_count", "pg_stat_user_tables_vacuum_count", "VACUUMs by hand."),
        counter("autovacuum_count", "pg_stat_user_tables_autovacuum_count", "Automatic VACUUMs."),
        counter("analyze_count", "pg_stat_user_tables_analyze_count", "ANALYZEs by hand."),
        counter("autoanalyze_count", "pg_stat_user_tables_autoanalyze_count", "Automatic ANALYZEs."),
    ],
};

const TABLE_SIZES: Collector = Collector {
    name: "table_sizes",
    sql: include_str!("../../../queries/monitor/exported/table_sizes.sql"),
    labels: &["schemaname", "relname"],
    figures: &[
        gauge("heap_bytes", "pg_stat_user_tables_table_size_bytes", "Size of the rows on disk."),
        gauge("index_bytes", "pg_stat_user_tables_index_size_bytes", "Size of the indexes."),
        gauge("toast_bytes", "pg_stat_user_tables_toast_size_bytes", "Size of values that are stored apart."),
    ],
};

const INDEXES: Collector = Collector {
    name: "stat_user_indexes",
    sql: include_str!("../../../queries/monitor/exported/indexes.sql"),
    labels: &["schemaname", "relname", "indexrelname"],
    figures: &[
        counter("idx_scan", "pg_stat_user_indexes_idx_scan", "Scans."),
        counter("idx_tup_read", "pg_stat_user_indexes_idx_tup_read", "Entries read."),
        counter("idx_tup_fetch", "pg_stat_user_indexes_idx_tup_fetch", "Rows fetched."),
    ],
};

const INVALID_INDEXES: Collector = Collector {
    name: "invalid_indexes",
    sql: include_str!("../../../queries/monitor/exported/invalid_indexes.sql"),
    labels: &[],
    figures: &[gauge("indexes", "pg_index_invalid_count", "Indexes that a failed build left behind.")],
};

const SEQUENCES: Collector = Collector {
    name: "sequences",
    sql: include_str!("../../../queries/monitor/exported/sequences.sql"),
    labels: &["schemaname", "sequencename"],
    figures: &[gauge("used_ratio", "pg_sequence_used_ratio", "Share of its numbers that a sequence has given out.")],
};
