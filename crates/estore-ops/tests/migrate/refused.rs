//! Lists that cannot be run, and those that are not what was applied, are refused by name.

use estore_kit::migration::Migration;
use estore_ops::migrate::{Back, Direction, MigrateError, Migrator, silent};

use crate::setup::{ALL, CONCURRENTLY, ORDERS, PAYMENT_STATUS, fresh, hurried, runner};

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
