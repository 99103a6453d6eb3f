//! There and back: what is applied, taken back and done again, and whose it is.

use estore_ops::connection::Connection;
use estore_ops::migrate::{Back, Event, MigrateError, State, silent};

use crate::setup::{ALL, ORDERS, fresh, has, payment_status_exists, runner};

#[tokio::test]
async fn goes_up_down_and_up_again() {
    let database = fresh().await;
    let (target, runner) = (database.migrated(), runner(ALL));
    let pending = runner.status(&target).await.unwrap();
    assert!(pending.len() == 3 && pending.iter().all(|standing| standing.entry.is_none()));

    let mut told = Vec::new();
    let mut listen = |event: Event<'_>| told.push(format!("{event:?}"));
    let report = runner.up(&target, None, &mut listen).await.unwrap();
    assert_eq!(report.applied, [202601010000, 202601020000, 202601030000]);
    assert_eq!(told.len(), 6, "{told:?}");
    assert!(payment_status_exists(&database).await && has(&database, "idx_orders_payment_status").await);
    assert!(has(&database, "idx_orders_product").await);
    assert!(runner.up(&target, None, &mut silent).await.unwrap().applied.is_empty(), "nothing is left to do");

    let standing = runner.status(&target).await.unwrap().remove(1);
    assert_eq!(standing.destroys.as_deref(), Some("every order's payment status"));
    let entry = standing.entry.unwrap();
    assert_eq!((entry.state, entry.up_checksum.len()), (State::Applied, 64));

    let refused = runner.down(&target, Back::Steps(2), false, &mut silent).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Destructive { .. }) && refused.to_string().contains("payment status"));
    assert!(has(&database, "idx_orders_product").await, "a refused way back does nothing");

    let report = runner.down(&target, Back::To(202601010000), true, &mut silent).await.unwrap();
    assert_eq!(report.reverted, [202601030000, 202601020000]);
    assert!(!payment_status_exists(&database).await && !has(&database, "idx_orders_payment_status").await);
    assert!(has(&database, "orders").await);

    runner.up(&target, Some(202601020000), &mut silent).await.unwrap();
    assert!(payment_status_exists(&database).await && !has(&database, "idx_orders_product").await);
    let again = runner.redo(&target, true, &mut silent).await.unwrap();
    assert_eq!((again.reverted, again.applied), (vec![202601020000], vec![202601020000]));
    runner.down(&target, Back::To(0), true, &mut silent).await.unwrap();
    assert!(!has(&database, "orders").await && has(&database, "estore_migrations").await);
}

#[tokio::test]
async fn an_older_build_takes_back_what_it_does_not_know() {
    let database = fresh().await;
    let target = database.migrated();
    runner(ALL).up(&target, None, &mut silent).await.unwrap();
    let older = runner(&[ORDERS]);
    let standings = older.status(&target).await.unwrap();
    assert_eq!(standings.iter().filter(|standing| !standing.known).count(), 2);
    assert!(older.up(&target, None, &mut silent).await.unwrap().applied.is_empty());
    older.down(&target, Back::Steps(2), true, &mut silent).await.unwrap();
    assert!(!payment_status_exists(&database).await && !has(&database, "idx_orders_product").await);
}

#[tokio::test]
async fn everything_belongs_to_the_owner() {
    let database = fresh().await;
    runner(ALL).up(&database.migrated(), None, &mut silent).await.unwrap();
    let connection = Connection::open(&database.admin_config()).await.unwrap();
    let sql = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
               AND pg_get_userbyid(relowner) <> 'estore_payments_owner'";
    assert!(connection.query(sql, &[]).await.unwrap().is_empty());
    let reader = Connection::open(&database.config_as("estore_readonly")).await.unwrap();
    reader.query("SELECT FROM orders", &[]).await.unwrap();
    assert!(reader.batch_execute("UPDATE orders SET quantity = 0").await.is_err());
}
