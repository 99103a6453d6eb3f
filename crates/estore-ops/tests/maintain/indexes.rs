//! What failed builds leave goes; what is being built stays.

use std::time::Duration;

use estore_ops::connection::Connection;
use estore_ops::maintain::{Ending, MaintainOptions};

use crate::setup::{Yard, done, reindex};

#[tokio::test]
async fn halves_of_indexes_are_removed_and_wanted_ones_finished() {
    let yard = Yard::with(1_000).await;
    let writer = yard.writer().await;
    yard.user.batch_execute("SET lock_timeout = '50ms'").await.unwrap();
    for sql in
        ["REINDEX INDEX CONCURRENTLY things_name", "CREATE INDEX CONCURRENTLY things_wanted ON things (name, id)"]
    {
        yard.user.batch_execute(sql).await.unwrap_err();
    }
    yard.user.batch_execute("SET lock_timeout = 0").await.unwrap();
    writer.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(yard.broken_indexes().await, 2);

    let reports = yard.maintain(&reindex()).await;
    assert_eq!(done(&reports), ["drop index things_name_ccnew", "reindex things_wanted"], "{reports:?}");
    assert_eq!(yard.broken_indexes().await, 0);
    assert_eq!(yard.number("SELECT count(*) FROM pg_index WHERE indrelid = 'things'::regclass").await, 3);
    assert!(yard.maintain(&reindex()).await.is_empty());
}

#[tokio::test]
async fn one_that_cannot_be_finished_is_told_and_leaves_nothing_more() {
    let yard = Yard::with(1_000).await;
    yard.run("INSERT INTO things (name) VALUES ('thing 1')").await;
    yard.user.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY things_once ON things (name)").await.unwrap_err();
    let reports = yard.maintain(&reindex()).await;
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(matches!(&reports[0].ending, Ending::Failed { because } if because.contains("23505")), "{reports:?}");
    assert_eq!(yard.broken_indexes().await, 1, "the one that somebody wanted, and no half of a new one");
}

#[tokio::test]
async fn one_that_is_being_built_is_left_alone() {
    let yard = Yard::with(1_000).await;
    let writer = yard.writer().await;
    let builder = Connection::open(&yard.database.admin_config()).await.unwrap();
    let building = tokio::spawn(async move {
        builder.batch_execute("CREATE INDEX CONCURRENTLY things_slow ON things (name, id)").await
    });
    while yard.broken_indexes().await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let reports = yard.maintain(&MaintainOptions { dry_run: false, ..reindex() }).await;
    assert!(reports.is_empty(), "{reports:?}");
    writer.batch_execute("COMMIT").await.unwrap();
    building.await.unwrap().unwrap();
    assert_eq!(yard.broken_indexes().await, 0, "it has come to its end");
}
