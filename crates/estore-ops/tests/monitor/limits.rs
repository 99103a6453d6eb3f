//! A table that is locked, a role that sees little, a server that is gone or silent: never a long wait.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::monitor::reading::read;
use estore_ops::monitor::report::report;
use estore_ops::monitor::statement::Names;
use estore_ops::monitor::{Looks, Seen};
use jiff::Timestamp;
use tokio_postgres::Config;

use crate::setup::{Watched, question};

/// More than all limits of one look together, and far less than for ever.
const LOOK_TIME_MAX: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_table_that_somebody_holds_is_told_of_without_waiting() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    let sql = "CREATE TABLE t (id serial PRIMARY KEY, a text, b int); CREATE INDEX t_a ON t (lower(a)) WHERE b > 0;
        INSERT INTO t (a) SELECT n::text FROM generate_series(1, 5000) n; CREATE TABLE other (id serial PRIMARY KEY); ANALYZE";
    owner.batch_execute(sql).await.unwrap();
    let told = watched.told().await;
    let before = told.databases[0].tables.clone().unwrap();
    let heap = |tables: &Seen<Vec<estore_ops::monitor::table::Table>>| {
        let tables = tables.seen().unwrap_or_else(|| panic!("{tables:?}"));
        let table = tables.iter().find(|table| table.name == "t").unwrap();
        (table.is_locked, table.heap_bytes)
    };
    assert!(!heap(&before).0);
    owner.batch_execute("BEGIN; ALTER TABLE t ADD COLUMN c int; DROP INDEX t_a; ALTER SEQUENCE t_id_seq INCREMENT 2; LOCK TABLE other").await.unwrap();
    let waiting = Connection::open(&watched.database.owner_config()).await.unwrap();
    let waits = tokio::spawn(async move { waiting.batch_execute("BEGIN; LOCK TABLE t; ROLLBACK").await });
    while watched.number("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass") == 0 {
        tokio::task::yield_now().await;
    }
    for role in ["estore_monitor", "postgres"] {
        let begun = Instant::now();
        let told = watched.told_as(role, None, 0).await;
        assert!(begun.elapsed() < LOOK_TIME_MAX, "{:?}", begun.elapsed());
        let one = &told.databases[0];
        let (locked, bytes) = heap(one.tables.as_ref().unwrap());
        // The maps beside the rows are not in the catalog's count.
        assert!(locked && bytes > 0 && bytes <= heap(&before).1, "{bytes}");
        let indexes = one.indexes.as_ref().unwrap().seen().unwrap();
        assert!(indexes.iter().any(|index| index.name == "t_a" && index.definition.is_none()), "{indexes:?}");
        assert!(one.advice.as_ref().unwrap().seen().unwrap().advice.iter().all(|advice| advice.table != "t"));
        for (what, seen) in [
            ("sequences", one.present.sequences.as_ref().unwrap().seen().is_some()),
            ("bloat", one.present.bloat.as_ref().unwrap().seen().is_some()),
            ("measured", one.present.bloat.as_ref().unwrap().seen().is_some_and(|room| room.measured.seen().is_some())),
            ("locks", one.present.locks.as_ref().unwrap().seen().is_some()),
            ("oldest", one.present.oldest_tables.as_ref().unwrap().seen().is_some()),
        ] {
            assert!(seen, "{what} as {role}");
        }
    }
    owner.batch_execute("ROLLBACK").await.unwrap();
    waits.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_service_s_own_role_sees_less_and_is_told_so() {
    let watched = Watched::empty().await;
    watched.owner().await.batch_execute("CREATE TABLE t (id serial PRIMARY KEY)").await.unwrap();
    let told = watched.told_as("estore_users_app", None, 35).await;
    assert!(!told.servers[0].server.sees_all && told.is_whole());
    let one = &told.databases[0];
    assert!(one.tables.as_ref().unwrap().seen().is_some() && one.statements.as_ref().unwrap().seen().is_some());
    let Seen::No(unseen) = &one.present.bloat.as_ref().unwrap().seen().unwrap().measured else { panic!("it may not") };
    assert!(unseen.mend.contains("estore_monitor"), "{unseen:?}");
    assert!(watched.told().await.servers[0].server.sees_all);
}

#[tokio::test]
async fn a_server_that_is_gone_or_silent_is_told_of_in_time() {
    let (names, folder) = (Names::default(), tempfile::tempdir().unwrap());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (port, expected) in [(closed, "refused"), (silent.local_addr().unwrap().port(), "said nothing")] {
        let config: Config = format!("postgresql://a@127.0.0.1:{port}/b?sslmode=disable").parse().unwrap();
        let question = question(config, &names, 35);
        let begun = Instant::now();
        let told = report(read(&question).await, &question, None, &Looks::of(folder.path()), Timestamp::now());
        assert!(begun.elapsed() < LOOK_TIME_MAX);
        let unseen = told.databases[0].unreachable.as_ref().unwrap();
        assert!(unseen.unseen.contains(expected) && !unseen.mend.is_empty(), "{unseen:?}");
        assert!(!told.is_whole());
    }
}
