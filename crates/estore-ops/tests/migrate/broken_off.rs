//! What fails or is cut leaves nothing behind, and is done over.

use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::migrate::{Back, MigrateError, Position, silent};

use crate::setup::{ORDERS, PAYMENT_STATUS, fresh, has, runner};

#[tokio::test]
async fn a_failed_migration_leaves_nothing_and_says_where() {
    const BROKEN: Migration = Migration {
        version: 202601020000,
        name: "broken",
        up: "CREATE TABLE half_done (a int);\nALTER TABLE orders\n  ADD COLUMN b nonsense;",
        down: "DROP TABLE half_done;",
    };
    let database = fresh().await;
    let target = database.migrated();
    let error = runner(&[ORDERS, BROKEN]).up(&target, None, &mut silent).await.unwrap_err();
    let text = error.to_string();
    let MigrateError::Failed { version: 202601020000, position, code, .. } = error else { panic!("{text}") };
    assert_eq!((position, code.as_str()), (Some(Position { line: 3, column: 16 }), "42704"), "{text}");
    assert!(text.contains("broken") && text.contains("nonsense"), "{text}");
    assert!(!has(&database, "half_done").await && has(&database, "orders").await);
    let entries = runner(&[ORDERS, BROKEN]).status(&target).await.unwrap();
    assert!(entries[0].entry.is_some() && entries[1].entry.is_none());
}

#[tokio::test]
async fn an_invalid_index_of_a_cut_run_is_made_anew() {
    const UNIQUE: Migration = Migration {
        version: 202601030000,
        name: "unique_product",
        up: "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY idx_orders_once ON orders(product_id);",
        down: "-- no-transaction\nDROP INDEX CONCURRENTLY idx_orders_once;",
    };
    const WITH_UNIQUE: &[Migration] = &[ORDERS, PAYMENT_STATUS, UNIQUE];
    let database = fresh().await;
    let target = database.migrated();
    runner(&[ORDERS, PAYMENT_STATUS]).up(&target, None, &mut silent).await.unwrap();
    let owner = Connection::open(&database.owner_config()).await.unwrap();
    let twice = "INSERT INTO orders (user_id, product_id, quantity, total_amount) VALUES ('1','7',1,1), ('2','7',1,1)";
    owner.batch_execute(twice).await.unwrap();

    let error = runner(WITH_UNIQUE).up(&target, None, &mut silent).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Failed { code, .. } if code == "23505"), "{error}");
    assert!(!has(&database, "idx_orders_once").await, "the failed build leaves no index");
    assert!(runner(WITH_UNIQUE).status(&target).await.unwrap()[2].entry.is_none());

    // A runner that is killed leaves the invalid index, and its row says that it was at work.
    owner.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY idx_orders_once ON orders(product_id)").await.unwrap_err();
    assert!(has(&database, "idx_orders_once").await);
    owner.batch_execute("DELETE FROM orders WHERE user_id = '2'").await.unwrap();
    runner(WITH_UNIQUE).up(&target, None, &mut silent).await.unwrap();
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_orders_once'::regclass";
    assert!(owner.query_one(valid, &[]).await.unwrap().get::<_, bool>(0));

    // Cut between the finished index and the ledger: done over, both ways.
    owner.batch_execute("UPDATE estore_migrations SET state = 'applying' WHERE version = 202601030000").await.unwrap();
    assert_eq!(runner(WITH_UNIQUE).up(&target, None, &mut silent).await.unwrap().applied, [202601030000]);
    owner
        .batch_execute(
            "UPDATE estore_migrations SET state = 'reverting' WHERE version = 202601030000; DROP INDEX idx_orders_once",
        )
        .await
        .unwrap();
    let report = runner(WITH_UNIQUE).down(&target, Back::Steps(1), true, &mut silent).await.unwrap();
    assert_eq!(report.reverted, [202601030000]);
}
