//! The runner on a real database: up, down, redo, and everything that may come in between.

use std::time::Duration;

use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::migrate::{Back, Direction, Event, MigrateError, MigrateOptions, Migrator, Position, State, silent};
use estore_testkit::cluster::{TestCluster, TestDatabase};

const ORDERS: Migration = Migration {
    version: 202601010000,
    name: "orders",
    up: "CREATE TABLE payment_methods (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    payment_type VARCHAR NOT NULL,
    details JSONB NOT NULL,
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE TABLE orders (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    product_id VARCHAR NOT NULL,
    quantity INTEGER NOT NULL,
    total_amount INTEGER NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'pending',
    payment_method_id INTEGER REFERENCES payment_methods(id),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    metadata JSONB DEFAULT '{}'::jsonb,
    CONSTRAINT fk_payment_method FOREIGN KEY(payment_method_id) REFERENCES payment_methods(id)
);
CREATE INDEX idx_orders_status ON orders(status);",
    down: "-- destructive: all orders and payment methods\nDROP TABLE orders, payment_methods;",
};

/// The specification's example.
const PAYMENT_STATUS: Migration = Migration {
    version: 202601020000,
    name: "payment_status",
    up: "ALTER TABLE orders ADD COLUMN payment_status VARCHAR;
CREATE INDEX idx_orders_payment_status ON orders(payment_status);",
    down: "-- destructive: every order's payment status
DROP INDEX idx_orders_payment_status;
ALTER TABLE orders DROP COLUMN payment_status;",
};

const CONCURRENTLY: Migration = Migration {
    version: 202601030000,
    name: "orders_by_product",
    up: "-- no-transaction\nCREATE INDEX CONCURRENTLY idx_orders_product ON orders(product_id);",
    down: "-- no-transaction\nDROP INDEX CONCURRENTLY idx_orders_product;",
};

const ALL: &[Migration] = &[ORDERS, PAYMENT_STATUS, CONCURRENTLY];

fn hurried() -> MigrateOptions {
    MigrateOptions {
        lock_wait: Duration::from_secs(1),
        table_wait: Duration::from_millis(100),
        concurrent_wait: Duration::from_secs(20),
        attempts: 3,
    }
}

fn runner(migrations: &'static [Migration]) -> Migrator<'static> {
    Migrator::new(migrations, hurried()).expect("a good list")
}

async fn fresh() -> TestDatabase {
    TestCluster::shared().await.empty_database("payments").await
}

async fn has(database: &TestDatabase, what: &str) -> bool {
    let connection = Connection::open(&database.admin_config()).await.expect("the database answers");
    let row = connection.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&what]).await;
    row.expect("the catalog answers").get(0)
}

async fn payment_status_exists(database: &TestDatabase) -> bool {
    let connection = Connection::open(&database.admin_config()).await.expect("the database answers");
    let sql = "SELECT FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'payment_status'
               AND data_type = 'character varying' AND is_nullable = 'YES'";
    !connection.query(sql, &[]).await.expect("the catalog answers").is_empty()
}

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
async fn altered_missing_and_late_migrations_are_named() {
    const CHANGED_UP: Migration = Migration { up: "SELECT 1;", ..PAYMENT_STATUS };
    const CHANGED_DOWN: Migration = Migration { down: "SELECT 1;", ..PAYMENT_STATUS };
    const LATE: Migration = Migration { version: 202601010001, name: "late", up: "SELECT 1", down: "SELECT 1" };
    let database = fresh().await;
    let target = database.migrated();
    runner(ALL).up(&target, None, &mut silent).await.unwrap();
    for (changed, expected) in
        [(&[ORDERS, CHANGED_UP, CONCURRENTLY], Direction::Up), (&[ORDERS, CHANGED_DOWN, CONCURRENTLY], Direction::Down)]
    {
        let tampered = Migrator::new(changed, hurried()).unwrap();
        for error in [
            tampered.status(&target).await.unwrap_err(),
            tampered.up(&target, None, &mut silent).await.unwrap_err(),
            tampered.down(&target, Back::Steps(1), true, &mut silent).await.unwrap_err(),
        ] {
            assert!(
                matches!(error, MigrateError::Altered { version: 202601020000, direction, .. } if direction == expected),
                "{error}"
            );
        }
    }
    let error = runner(&[ORDERS, CONCURRENTLY]).up(&target, None, &mut silent).await.unwrap_err();
    assert!(matches!(error, MigrateError::Missing { version: 202601020000, .. }), "{error}");
    let error = runner(&[ORDERS, LATE, PAYMENT_STATUS, CONCURRENTLY]).up(&target, None, &mut silent).await.unwrap_err();
    assert!(matches!(error, MigrateError::OutOfOrder { version: 202601010001, .. }), "{error}");
    let error = runner(ALL).up(&target, Some(5), &mut silent).await.unwrap_err();
    assert!(matches!(error, MigrateError::UnknownVersion(5)), "{error}");
}

#[test]
fn lists_that_cannot_be_run_safely_are_refused() {
    const TWICE: Migration = Migration { name: "again", ..ORDERS };
    const SELF_COMMITTING: Migration = Migration { up: "CREATE TABLE a (b int); COMMIT;", ..ORDERS };
    const TWO_OUTSIDE: Migration = Migration { up: "-- no-transaction\nSELECT 1; SELECT 2", ..ORDERS };
    const EMPTY: Migration = Migration { down: "-- nothing yet", ..ORDERS };
    let cases: [(&[Migration], &str); 5] = [
        (&[ORDERS, TWICE], "does not come after"),
        (&[SELF_COMMITTING], "COMMIT"),
        (&[TWO_OUTSIDE], "2 statements"),
        (&[EMPTY], "no statement"),
        (&[Migration { version: 7, ..ORDERS }], "YYYYMMDDHHMM"),
    ];
    for (list, expected) in cases {
        let error = Migrator::new(list, hurried()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

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
