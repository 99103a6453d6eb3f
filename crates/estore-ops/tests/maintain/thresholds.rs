//! What is due is done, once.

use estore_ops::maintain::{Ending, MaintainOptions, Task};

use crate::setup::{Yard, done, reindex};

#[tokio::test]
async fn a_table_is_vacuumed_when_it_has_come_to_that() {
    let yard = Yard::with(60_000).await;
    let options = MaintainOptions::default();
    assert!(yard.maintain(&options).await.is_empty(), "nothing is due");
    yard.run("DELETE FROM things WHERE id <= 9000").await;
    assert!(yard.maintain(&options).await.is_empty(), "9,000 are not enough");
    yard.run("DELETE FROM things WHERE id <= 12000").await;

    let told = yard.maintain(&MaintainOptions { dry_run: true, ..options.clone() }).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].action.verb, &told[0].ending), ("vacuum analyze", &Ending::Planned));
    assert!(told[0].action.why.contains("12000 of 60000 rows are dead (20 %)"), "{}", told[0].action.why);
    let dead = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'things'";
    assert_eq!(yard.number(dead).await, 12_000, "a look does nothing");

    let only = MaintainOptions { tasks: vec![Task::Analyze], ..options.clone() };
    assert_eq!(done(&yard.maintain(&only).await), ["analyze things"]);
    let reports = yard.maintain(&options).await;
    assert_eq!(done(&reports), ["vacuum things"], "it has been analyzed already");
    assert_eq!(reports[0].ending, Ending::Done { brought: "12000 dead rows less".to_owned() });
    assert_eq!(yard.number(dead).await, 0);
    assert!(yard.maintain(&options).await.is_empty(), "nothing is due any more");
}

#[tokio::test]
async fn what_was_never_analyzed_and_what_is_old_is_seen_to() {
    let yard = Yard::with(1_000).await;
    yard.run("CREATE TABLE strangers (id integer); ALTER TABLE strangers OWNER TO estore_inventory_owner").await;
    yard.run("INSERT INTO strangers SELECT generate_series(1, 10)").await;
    yard.run("CREATE TABLE others (id integer)").await;
    yard.run("INSERT INTO others SELECT generate_series(1, 10)").await;
    let mut options = MaintainOptions::default();
    assert_eq!(done(&yard.maintain(&options).await), ["analyze strangers"], "others belong to somebody else");
    options.thresholds.freeze_age = 1;
    let oldest = "SELECT relfrozenxid::text::bigint FROM pg_class WHERE relname = 'things'";
    let before = yard.number(oldest).await;
    let reports = yard.maintain(&options).await;
    assert!(done(&reports).contains(&"vacuum things".to_owned()), "{reports:?}");
    assert!(yard.number(oldest).await > before, "its rows are frozen");
}

#[tokio::test]
async fn an_index_of_air_is_built_anew() {
    let yard = Yard::with(200_000).await;
    let options = reindex();
    assert!(yard.maintain(&options).await.is_empty(), "fresh ones are full");
    yard.run("DELETE FROM things WHERE id % 10 <> 0").await;
    yard.run("VACUUM ANALYZE things").await;
    let size = "SELECT pg_relation_size('things_pkey') + pg_relation_size('things_name')";
    let before = yard.number(size).await;
    let reports = yard.maintain(&options).await;
    let mut names = done(&reports);
    names.sort();
    assert_eq!(names, ["reindex things_name", "reindex things_pkey"], "{reports:?}");
    assert!(yard.number(size).await * 5 < before, "{reports:?}");
    assert!(matches!(&reports[0].ending, Ending::Done { brought } if brought.contains("given back")), "{reports:?}");
    assert_eq!(yard.broken_indexes().await, 0);
    assert!(yard.maintain(&options).await.is_empty(), "by need, not by habit");
}
