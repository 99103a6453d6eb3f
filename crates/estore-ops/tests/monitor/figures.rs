//! Sizes, rows, unused room, numbers left, counters: each as psql has it.

use estore_ops::monitor::Seen;

use crate::setup::{Watched, flush};

const FILL: &str = "
    CREATE TABLE notes (id serial PRIMARY KEY, author int NOT NULL, body text NOT NULL, long text);
    ALTER TABLE notes ALTER COLUMN long SET STORAGE EXTERNAL;
    CREATE INDEX notes_author ON notes (author);
    INSERT INTO notes (author, body, long)
        SELECT n % 100, md5(n::text), CASE WHEN n % 50 = 0 THEN repeat('x', 4000) END FROM generate_series(1, 40000) n;
    DELETE FROM notes WHERE id % 2 = 0;";

#[tokio::test]
async fn sizes_and_rows_are_those_that_psql_tells() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    owner.batch_execute(FILL).await.unwrap();
    flush(&owner).await;
    let told = watched.told().await;
    let tables = told.databases[0].tables.as_ref().unwrap().seen().unwrap();
    let notes = tables.iter().find(|table| table.name == "notes").unwrap();
    let sql = "SELECT pg_table_size(c.oid) - pg_total_relation_size(reltoastrelid), pg_total_relation_size(reltoastrelid),
        pg_indexes_size(c.oid), pg_total_relation_size(c.oid), n_live_tup, n_dead_tup, round(100.0 * n_dead_tup / (n_live_tup + n_dead_tup), 2),
        seq_scan, seq_tup_read, n_tup_ins, n_tup_del, n_mod_since_analyze
        FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.relname = 'notes'";
    let ours =
        [notes.heap_bytes, notes.toast_bytes, notes.index_bytes, notes.total_bytes, notes.rows_alive, notes.rows_dead];
    let mut ours: Vec<String> = ours.iter().map(i64::to_string).collect();
    ours.push(format!("{:.2}", notes.dead_percent));
    let rest =
        [notes.scans_of_all, notes.rows_of_scans, notes.rows_inserted, notes.rows_deleted, notes.changes_since_analyze];
    ours.extend(rest.iter().map(i64::to_string));
    assert_eq!(vec![ours], watched.psql(sql));
    assert!(notes.toast_bytes > 1_000_000 && notes.rows_dead == 20_000 && notes.vacuumed_at.is_none());
    owner.batch_execute("VACUUM ANALYZE notes").await.unwrap();
    let told = watched.told().await;
    let tables = told.databases[0].tables.as_ref().unwrap().seen().unwrap();
    let notes = tables.iter().find(|table| table.name == "notes").unwrap();
    let sql = "SELECT extract(epoch FROM last_vacuum)::bigint, extract(epoch FROM last_analyze)::bigint, n_dead_tup
        FROM pg_stat_user_tables WHERE relname = 'notes'";
    let second = |at: Option<jiff::Timestamp>| (at.unwrap().as_millisecond() + 500).div_euclid(1000).to_string();
    assert_eq!(watched.psql(sql), [[second(notes.vacuumed_at), second(notes.analyzed_at), "0".to_owned()]]);
}

#[tokio::test]
async fn unused_room_is_what_pgstattuple_finds() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    owner.batch_execute(&FILL.replace("repeat('x', 4000)", "NULL")).await.unwrap();
    owner.batch_execute("VACUUM ANALYZE notes").await.unwrap();
    let told = watched.told_as("postgres", None, 35).await;
    let room = told.databases[0].present.bloat.as_ref().unwrap().seen().unwrap();
    let exact =
        watched.number("SELECT (100 * (dead_tuple_len + free_space) / table_len)::bigint FROM pgstattuple('notes')");
    let leaf = watched.number("SELECT (100 - avg_leaf_density)::bigint FROM pgstatindex('notes_pkey')");
    let estimated = |name: &str| room.estimated.iter().find(|one| one.name == name).unwrap().wasted_percent.unwrap();
    let near = |ours: f64, theirs: i64, within: i64| {
        let ours: i64 = format!("{ours:.0}").parse().unwrap();
        assert!((theirs - within..=theirs + within).contains(&ours), "{ours} is not near {theirs}");
    };
    near(estimated("notes"), exact, 5);
    // A fresh B-tree has a tenth free for what comes.
    near(estimated("notes_pkey"), leaf, 12);
    // The monitor's role sees no widths of texts, but may measure.
    let told = watched.told().await;
    let room = told.databases[0].present.bloat.as_ref().unwrap().seen().unwrap();
    assert!(room.not_estimated >= 1 && !room.estimated.iter().any(|one| one.name == "notes"));
    assert!(room.estimated.iter().any(|one| one.name == "notes_pkey"));
    let Seen::Yes(measured) = &room.measured else { panic!("{room:?}") };
    let notes = measured.iter().find(|one| one.name == "notes").unwrap();
    let sql = "SELECT table_len, dead_tuple_count, dead_tuple_len, approx_free_space FROM pgstattuple_approx('notes')";
    let ours = [notes.bytes, notes.rows_dead, notes.dead_bytes, notes.free_bytes].map(|number| number.to_string());
    assert_eq!(watched.psql(sql), [ours]);
}

#[tokio::test]
async fn numbers_run_out_by_the_columns_type() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    let sql = "CREATE TABLE small (id serial PRIMARY KEY); SELECT setval('small_id_seq', 1900000000);
        CREATE SEQUENCE wide AS bigint; CREATE TABLE narrow (id int PRIMARY KEY DEFAULT nextval('wide')); SELECT setval('wide', 1073741824);
        CREATE TABLE large (id bigserial PRIMARY KEY); SELECT setval('large_id_seq', 1073741824);
        CREATE TABLE fresh (id int GENERATED ALWAYS AS IDENTITY)";
    owner.batch_execute(sql).await.unwrap();
    let told = watched.told().await;
    let sequences = told.databases[0].present.sequences.as_ref().unwrap().seen().unwrap();
    let of = |name: &str| {
        let one = sequences.iter().find(|one| one.name == name).unwrap();
        assert!(one.is_visible, "{one:?}");
        (one.last, one.largest, format!("{:.2}", one.used_percent), one.column_name.clone())
    };
    let last = |name: &str| watched.number(&format!("SELECT last_value FROM {name}"));
    let id = Some("id".to_owned());
    assert_eq!(of("small_id_seq"), (Some(last("small_id_seq")), i64::from(i32::MAX), "88.48".to_owned(), id.clone()));
    assert_eq!(of("wide"), (Some(last("wide")), i64::from(i32::MAX), "50.00".to_owned(), id.clone()));
    assert_eq!(of("large_id_seq"), (Some(1 << 30), i64::MAX, "0.00".to_owned(), id.clone()));
    assert_eq!(of("fresh_id_seq"), (None, i64::from(i32::MAX), "0.00".to_owned(), id));
}

#[tokio::test]
async fn counters_and_ages_lie_between_two_looks_of_psql() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    owner
        .batch_execute("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000); SELECT sum(a) FROM t")
        .await
        .unwrap();
    owner.batch_execute("SELECT 1/0").await.unwrap_err();
    flush(&owner).await;
    let sql = "SELECT xact_commit, xact_rollback, blks_hit, blks_read, tup_returned, tup_fetched, tup_inserted, tup_updated, tup_deleted,
        temp_files, temp_bytes, deadlocks, conflicts, coalesce(checksum_failures, 0), sessions, sessions_abandoned, sessions_fatal, sessions_killed,
        session_time::bigint, active_time::bigint, idle_in_transaction_time::bigint,
        age(datfrozenxid), mxid_age(datminmxid)
        FROM pg_stat_database JOIN pg_database d ON d.oid = datid WHERE d.datname = current_database()";
    let numbers = || -> Vec<i64> { watched.psql(sql)[0].iter().map(|number| number.parse().unwrap()).collect() };
    let before = numbers();
    let told = watched.told().await;
    // The look's own session ends and counts.
    let after = numbers();
    let one = told.databases[0].activity.as_ref().unwrap();
    let wraps = told.servers[0].wholes.wraparound.as_ref().unwrap().seen().unwrap();
    let wrap = wraps.iter().find(|wrap| wrap.database == watched.database.name()).unwrap();
    let c = &one.counters;
    let ours = [
        c.commits,
        c.rollbacks,
        c.blocks_hit,
        c.blocks_read,
        c.rows_returned,
        c.rows_fetched,
        c.rows_inserted,
        c.rows_updated,
        c.rows_deleted,
        c.temp_files,
        c.temp_bytes,
        c.deadlocks,
        c.conflicts,
        c.checksum_failures,
        c.sessions,
        c.sessions_abandoned,
        c.sessions_fatal,
        c.sessions_killed,
        c.session_ms,
        c.active_ms,
        c.idle_in_transaction_ms,
        wrap.transactions,
        wrap.multixacts,
    ];
    for (at, ((before, ours), after)) in before.iter().zip(ours).zip(&after).enumerate() {
        assert!((*before..=*after).contains(&ours), "column {at}: {ours} is not between {before} and {after}");
    }
    assert!(c.rollbacks >= 1 && c.rows_inserted >= 1_000 && c.sessions >= 1);
    assert_eq!(told.servers[0].databases, [watched.database.name()]);
    let size = watched.number("SELECT pg_database_size(current_database())");
    assert_eq!(c.bytes, size);
    let hit = watched.psql(&format!("SELECT trunc(100.0 * {0} / ({0} + {1}), 2)", c.blocks_hit, c.blocks_read));
    assert_eq!(format!("{:.2}", one.cache_hit_percent.unwrap()), hit[0][0]);
    let limit = watched.number("SHOW max_connections");
    assert_eq!(told.servers[0].server.connections_max, limit);
}

#[tokio::test]
async fn a_window_holds_what_happened_in_it() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    owner
        .batch_execute("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)")
        .await
        .unwrap();
    flush(&owner).await;
    let then = estore_ops::monitor::reading::look_of(&watched.readings().await, jiff::Timestamp::now());
    watched.looks().save("before", &then).unwrap();
    owner
        .batch_execute(
            "INSERT INTO t SELECT generate_series(1001, 1007); SET enable_indexscan = off; SET enable_bitmapscan = off;
        SET enable_indexonlyscan = off; SELECT count(*) FROM t",
        )
        .await
        .unwrap();
    flush(&owner).await;
    let then = watched.looks().named("before").unwrap();
    let told = watched.told_as("estore_monitor", Some(&then), 35).await;
    let one = &told.databases[0];
    let activity = one.activity.as_ref().unwrap();
    assert_eq!((activity.counters.rows_inserted, activity.since, activity.was_reset), (7, then.taken_at, false));
    let reads = one.table_reads.as_ref().unwrap().iter().find(|table| table.name == "t").unwrap();
    assert_eq!((reads.scans_of_all, reads.rows_of_scans), (1, 1_007));
    // psql's way to a reset; only this database's.
    watched.psql("SELECT pg_stat_reset()");
    let told = watched.told_as("estore_monitor", Some(&then), 35).await;
    let activity = told.databases[0].activity.as_ref().unwrap();
    assert!(activity.was_reset && activity.since > then.taken_at, "{activity:?}");
    assert!(activity.counters.rows_inserted < 7);
}
