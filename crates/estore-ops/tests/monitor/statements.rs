//! The ranking of statements, as psql has it.

use estore_ops::monitor::Seen;
use estore_ops::monitor::reading::look_of;
use estore_ops::roles::MONITOR;
use jiff::Timestamp;

use crate::setup::Watched;

const FILE: &str =
    "-- Counts the larger ones. Reads all.\nSELECT count(*) FROM t WHERE a > $1::int AND a > -1 AND a IS NOT NULL\n";

#[tokio::test]
async fn calls_rows_and_times_are_those_that_psql_tells() {
    let watched = Watched::knowing(&[("shop/count_larger", FILE)]).await;
    let owner = watched.owner().await;
    owner.batch_execute("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 5000)").await.unwrap();
    for n in 0..7_i32 {
        owner.query(FILE, &[&n]).await.unwrap();
    }
    let then = look_of(&watched.readings().await, Timestamp::now());
    let ranking = |told: &estore_ops::monitor::report::Report| match told.databases[0].statements.clone().unwrap() {
        Seen::Yes(ranking) => ranking,
        Seen::No(unseen) => panic!("{unseen:?}"),
    };
    let all = ranking(&watched.told().await);
    let one = all.statements.iter().find(|one| one.name.as_deref() == Some("shop/count_larger")).unwrap();
    let sql = "SELECT calls, rows, (total_exec_time * 1000)::bigint, (max_exec_time * 1000)::bigint, temp_blks_read + temp_blks_written,
        trunc(100.0 * shared_blks_hit / (shared_blks_hit + shared_blks_read), 2), queryid
        FROM pg_stat_statements s JOIN pg_database d ON d.oid = dbid WHERE datname = current_database() AND query LIKE '%Counts the larger%'";
    let ours = [one.calls, one.rows, one.total_us, one.max_us, one.temp_blocks].map(|number| number.to_string());
    let hit = format!("{:.2}", one.cache_hit_percent.unwrap());
    let ours: Vec<String> = ours.into_iter().chain([hit, one.id.unwrap().to_string()]).collect();
    assert_eq!(watched.psql(sql), [ours]);
    assert_eq!((one.calls, one.mean_us), (7, one.total_us / 7));
    assert!(all.statements.is_sorted_by_key(|one| std::cmp::Reverse(one.total_us)));
    let total: i64 = all.statements.iter().map(|one| one.total_us).sum();
    assert_eq!(all.total_us, total);
    // Between two looks only what came.
    for n in 0..5_i32 {
        owner.query(FILE, &[&n]).await.unwrap();
    }
    let window = ranking(&watched.told_as(MONITOR, Some(&then), 35).await);
    let one = window.statements.iter().find(|one| one.name.as_deref() == Some("shop/count_larger")).unwrap();
    assert_eq!((one.calls, window.since, window.was_reset), (5, then.taken_at, false));
    // The look's own statements are told by name too.
    assert!(!serde_json::to_string(&then).unwrap().contains("SELECT"), "no text is stored");
}

#[tokio::test]
async fn without_the_extension_the_rest_is_told() {
    let watched = Watched::empty().await;
    watched.psql("DROP EXTENSION pg_stat_statements; DROP EXTENSION pgstattuple");
    let told = watched.told().await;
    let one = &told.databases[0];
    let Some(Seen::No(unseen)) = &one.statements else { panic!("{:?}", one.statements) };
    assert!(unseen.unseen.contains("pg_stat_statements") && unseen.mend.contains("CREATE EXTENSION"), "{unseen:?}");
    let Seen::No(unseen) = &one.present.bloat.as_ref().unwrap().seen().unwrap().measured else { panic!("it is gone") };
    assert!(unseen.mend.contains("CREATE EXTENSION pgstattuple"), "{unseen:?}");
    assert!(one.tables.as_ref().unwrap().seen().is_some() && told.is_whole());
    // In a schema of its own it is found all the same.
    watched.psql("CREATE SCHEMA \"Odd one\"; CREATE EXTENSION pg_stat_statements SCHEMA \"Odd one\"; GRANT USAGE ON SCHEMA \"Odd one\" TO estore_monitor");
    let told = watched.told().await;
    assert!(told.databases[0].statements.as_ref().unwrap().seen().is_some(), "{:?}", told.databases[0].statements);
}
