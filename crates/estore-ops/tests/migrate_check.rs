//! `check` passes what comes back to where it was and names what does not.

use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::migrate::{MigrateError, Seed, check, silent};
use estore_ops::roles::Service;
use estore_testkit::cluster::TestCluster;

const NOTES: Migration = Migration {
    version: 202601010000,
    name: "notes",
    up: "CREATE TABLE notes (id serial PRIMARY KEY, body varchar NOT NULL, kind text DEFAULT 'plain');
         INSERT INTO notes (body) VALUES ('first');",
    down: "-- destructive: all notes\nDROP TABLE notes;",
};
const MIDDLE: Migration = Migration {
    version: 202601020000,
    name: "drop_kind",
    up: "-- destructive: the kinds\nALTER TABLE notes DROP COLUMN kind;",
    down: "ALTER TABLE notes ADD COLUMN kind text DEFAULT 'plain';",
};
const INDEX: Migration = Migration {
    version: 202601030000,
    name: "index",
    up: "-- no-transaction\nCREATE INDEX CONCURRENTLY idx_notes_body ON notes(body);",
    down: "-- no-transaction\nDROP INDEX CONCURRENTLY idx_notes_body;",
};
const SEEDS: &[Seed] = &[
    Seed { version: 202601010000, sql: "INSERT INTO notes (body, kind) VALUES ('a', 'b'), ('c', NULL)" },
    Seed { version: 202601020000, sql: "INSERT INTO notes (body) VALUES ('d')" },
];

async fn checked(migrations: &[Migration]) -> Result<estore_ops::migrate::CheckReport, MigrateError> {
    let cluster = TestCluster::shared().await;
    check(migrations, Service::Payments, &cluster.admin_config(), SEEDS, &mut silent).await
}

async fn differences(migrations: &[Migration]) -> String {
    let error = checked(migrations).await.expect_err("the check finds something");
    assert!(matches!(error, MigrateError::NotReversible(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn reversible_migrations_pass_whatever_the_order_of_columns() {
    let report = checked(&[NOTES, MIDDLE, INDEX]).await.unwrap();
    assert_eq!(report.checked, [202601010000, 202601020000, 202601030000]);
    assert_eq!(report.rows_not_compared, [202601020000]);
}

#[tokio::test]
async fn what_stays_behind_is_named() {
    const LEAVES_INDEX: Migration = Migration {
        up: "ALTER TABLE notes ADD COLUMN more int; CREATE INDEX idx_more ON notes(body); \
             ALTER TABLE notes ALTER COLUMN body SET DEFAULT 'x'; GRANT SELECT ON notes TO estore_backup; \
             CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT a * 2'; \
             ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON notes USING (true)",
        down: "ALTER TABLE notes DROP COLUMN more",
        ..MIDDLE
    };
    let found = differences(&[NOTES, LEAVES_INDEX]).await;
    for object in [
        "index idx_more is left over",
        "column notes.body was",
        "grants on notes was",
        "function twice(integer) is left over",
        "policy notes.mine is left over",
        "row security",
    ] {
        assert!(found.contains(object), "{object} is not in {found}");
    }
    assert!(!found.contains("notes.more"), "{found}");
}

#[tokio::test]
async fn rows_that_do_not_come_back_are_named() {
    const LOSES: Migration = Migration {
        up: "UPDATE notes SET body = upper(body)",
        down: "UPDATE notes SET body = lower(body) WHERE body <> 'A'",
        ..MIDDLE
    };
    let found = differences(&[NOTES, LOSES]).await;
    assert!(found.contains("rows of notes was: 3 rows"), "{found}");
}

#[tokio::test]
async fn a_way_back_that_fails_on_rows_is_an_error_and_nothing_is_left() {
    const ADDS: Migration = Migration {
        up: "ALTER TABLE notes ALTER COLUMN body DROP NOT NULL",
        down: "ALTER TABLE notes ALTER COLUMN body SET NOT NULL",
        ..MIDDLE
    };
    const NULLS: &[Seed] = &[Seed { version: 202601020000, sql: "INSERT INTO notes (body) VALUES (NULL)" }];
    let cluster = TestCluster::shared().await;
    let result = check(&[NOTES, ADDS], Service::Inventory, &cluster.admin_config(), NULLS, &mut silent).await;
    let error = result.unwrap_err();
    assert!(matches!(&error, MigrateError::Failed { code, .. } if code == "23502"), "{error}");
    let connection = Connection::open(&cluster.admin_config()).await.unwrap();
    let sql = "SELECT FROM pg_database WHERE datname LIKE 'estore_inventory_check_%'";
    assert!(connection.query(sql, &[]).await.unwrap().is_empty(), "the scratch database is dropped");
}
