//! A run that is cut at any step leaves a shop that sells; the next run goes on, or goes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use estore_ops::partition::{PartitionError, PartitionEvent, partition, partitions_ahead, standing, unpartition};
use tokio::sync::Notify;

use crate::table::{Table, options, silent};

/// Steps that a whole run has at most.
const STEPS_MAX: u32 = 60;

/// Runs until it has told `steps` steps and drops it there, as a kill does: the connection ends. Whether it was cut.
async fn cut(table: &Table, steps: u32, is_back: bool) -> bool {
    let (told, reached) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
    let (count, notify) = (told.clone(), reached.clone());
    let mut progress = move |_: PartitionEvent| {
        if count.fetch_add(1, Ordering::SeqCst) + 1 == steps {
            notify.notify_one();
        }
    };
    let database = table.database.migrated();
    let options = options();
    let run = async {
        if is_back {
            unpartition(&database, &options, &mut progress).await
        } else {
            partition(&database, &options, &mut progress).await
        }
    };
    let done = tokio::select! {
        biased;
        () = reached.notified() => None,
        done = run => Some(done),
    };
    if let Some(done) = done {
        done.unwrap();
    }
    told.load(Ordering::SeqCst) >= steps
}

/// Waits until the session of a run that was cut has ended.
async fn ended(table: &Table) {
    let sql = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'estore migrate'";
    for _ in 0..3_000 {
        if table.rows(sql).await.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the session of a run that was cut does not end");
}

#[tokio::test]
async fn a_cut_run_is_gone_on_with() {
    let table = Table::filled().await;
    let schema = table.schema().await;
    for steps in 1..STEPS_MAX {
        let was_cut = cut(&table, steps, false).await;
        ended(&table).await;
        table.add(1).await;
        let contents = table.contents().await;
        let done = partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
        assert!(done.is_partitioned && done.unproven.is_empty() && done.ids_below.is_none(), "{steps}: {done:?}");
        assert_eq!(table.contents().await, contents, "{steps}");
        unpartition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
        assert_eq!(table.contents().await, contents, "{steps}");
        assert_eq!(table.schema().await, schema, "{steps}");
        if !was_cut {
            return;
        }
    }
    panic!("a run has more than {STEPS_MAX} steps");
}

#[tokio::test]
async fn a_cut_way_back_is_gone_on_with() {
    let table = Table::filled().await;
    let schema = table.schema().await;
    for steps in 1..STEPS_MAX {
        partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
        // Beyond the first partition, so that rows are copied.
        let beyond = standing(&table.database.migrated()).await.unwrap().partitions[1].begin.unwrap();
        table.next_id(beyond - 3).await;
        table.add(6).await;
        let was_cut = cut(&table, steps, true).await;
        ended(&table).await;
        table.add(1).await;
        table.run("UPDATE orders SET updated_at = now() WHERE id % 7 = 0; DELETE FROM orders WHERE id = 500").await;
        let contents = table.contents().await;
        unpartition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
        assert_eq!(table.contents().await, contents, "{steps}");
        assert_eq!(table.schema().await, schema, "{steps}");
        if !was_cut {
            return;
        }
    }
    panic!("a way back has more than {STEPS_MAX} steps");
}

#[tokio::test]
async fn a_cut_way_back_is_given_up_by_the_way_there() {
    let table = Table::filled().await;
    partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
    let turned = table.schema().await;
    table.next_id(1_998).await;
    table.add(6).await;
    // After the copy has begun, before it has taken the place.
    for steps in [3, 6] {
        assert!(cut(&table, steps, true).await);
        ended(&table).await;
        assert!(standing(&table.database.migrated()).await.unwrap().is_merging);
        partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
    }
    let schema = table.schema().await;
    // The partitions themselves have gone on: the second one is in use.
    let whole = turned.iter().filter(|(object, _)| !object.contains("orders_from_"));
    let missing: Vec<_> = whole.filter(|object| !schema.contains(object)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert_eq!(table.contents().await.0, 906);
}

#[tokio::test]
async fn the_limit_of_a_cut_run_is_lifted_by_maintenance() {
    let table = Table::plain().await;
    let database = table.database.migrated();
    // Cut once the limit stands.
    let mut steps = 1;
    while standing(&database).await.unwrap().ids_below.is_none() {
        assert!(cut(&table, steps, false).await, "the limit was never seen");
        ended(&table).await;
        steps += 1;
    }
    assert!(partitions_ahead(&database, &options(), &mut silent).await.unwrap().is_limit_lifted);
    assert_eq!(standing(&database).await.unwrap().ids_below, None);
    table.next_id(5_000).await;
    table.add(1).await;
}

#[tokio::test]
async fn who_holds_the_table_is_named_and_nothing_is_left() {
    let table = Table::plain().await;
    let schema = table.schema().await;
    // A database that was copied from the same one has a table with the same id.
    let other = Table::plain().await;
    other.run("BEGIN; SELECT FROM orders LIMIT 1").await;
    table.run("BEGIN; SELECT FROM orders LIMIT 1").await;
    let hurried = estore_ops::partition::PartitionOptions {
        table_wait: std::time::Duration::from_millis(20),
        attempts: 2,
        ..options()
    };
    let refused = partition(&table.database.migrated(), &hurried, &mut silent).await.unwrap_err();
    let PartitionError::LockTimeout { holders, .. } = &refused else { panic!("{refused}") };
    assert_eq!(holders.len(), 1, "{refused}");
    table.run("ROLLBACK").await;
    assert_eq!(table.schema().await, schema);
}
