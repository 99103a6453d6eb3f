//! Runners wait for each other, and for those who use a table, and only so long.

use std::time::Duration;

use estore_ops::connection::Connection;
use estore_ops::migrate::{Event, MigrateError, MigrateOptions, Migrator, silent};

use crate::setup::{ALL, ORDERS, PAYMENT_STATUS, fresh, has, hurried, payment_status_exists, runner};

#[tokio::test]
async fn two_runners_at_once_do_the_work_once() {
    let database = fresh().await;
    let target = database.migrated();
    let patient = MigrateOptions { lock_wait: Duration::from_secs(30), ..hurried() };
    let runner = Migrator::new(ALL, patient).unwrap();
    // The second runner waits while the first builds an index concurrently: no deadlock may come of it.
    let (mut left, mut right) = (silent, silent);
    let (first, second) = tokio::join!(runner.up(&target, None, &mut left), runner.up(&target, None, &mut right));
    assert_eq!(first.unwrap().applied.len() + second.unwrap().applied.len(), 3);
    assert!(has(&database, "idx_orders_product").await);
}

#[tokio::test]
async fn a_runner_waits_for_another_only_so_long() {
    let database = fresh().await;
    let target = database.migrated();
    let holder = Connection::open(&database.admin_config()).await.unwrap();
    let key: i64 = 0x4553_544f_4d49_4752;
    holder.execute("SELECT pg_advisory_lock($1)", &[&key]).await.unwrap();
    let error = runner(ALL).up(&target, None, &mut silent).await.unwrap_err();
    assert!(matches!(error, MigrateError::Locked { seconds: 1, .. }), "{error}");
    drop(holder);
    runner(ALL).up(&target, None, &mut silent).await.unwrap();
}

#[tokio::test]
async fn a_locked_table_is_tried_again_and_then_reported() {
    let database = fresh().await;
    let target = database.migrated();
    runner(&[ORDERS]).up(&target, None, &mut silent).await.unwrap();
    let mut shopper = Connection::open(&database.app_config()).await.unwrap();
    let sale = shopper.transaction().await.unwrap();
    sale.query("SELECT FROM orders", &[]).await.unwrap();
    let mut locked = 0;
    let mut listen = |event: Event<'_>| locked += i32::from(matches!(event, Event::TableLocked { .. }));
    let error = runner(&[ORDERS, PAYMENT_STATUS]).up(&target, None, &mut listen).await.unwrap_err();
    assert!(matches!(error, MigrateError::LockTimeout { attempts: 3, timeout_ms: 100, .. }), "{error}");
    assert_eq!(locked, 3);
    assert!(!payment_status_exists(&database).await);

    let patient = MigrateOptions { attempts: 20, ..hurried() };
    let release = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        sale.commit().await
    };
    let migrator = Migrator::new(&[ORDERS, PAYMENT_STATUS], patient).unwrap();
    let mut quiet = silent;
    let (report, released) = tokio::join!(migrator.up(&target, None, &mut quiet), release);
    released.unwrap();
    assert_eq!(report.unwrap().applied, [202601020000]);
}
