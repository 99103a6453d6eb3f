//! The shared server and its databases, as service tests use them.

use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_testkit::cluster::TestCluster;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 202601010000,
    name: "notes",
    up: "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
         GRANT SELECT (body) ON notes TO estore_monitor",
    down: "-- destructive: all notes\nDROP TABLE notes",
}];

#[tokio::test]
async fn the_application_role_writes_rows_and_changes_no_schema() {
    let database = TestCluster::shared().await.database("payments", MIGRATIONS).await;
    let app = Connection::open(&database.app_config()).await.unwrap();
    app.execute("INSERT INTO notes (body) VALUES ('a')", &[]).await.unwrap();
    app.execute("UPDATE notes SET body = 'b'", &[]).await.unwrap();
    assert!(app.batch_execute("CREATE TABLE mine (a int)").await.is_err());
    assert!(app.batch_execute("DROP TABLE notes").await.is_err());
    assert!(app.batch_execute("DELETE FROM estore_migrations").await.is_err());
    let rows = app.query("SELECT version FROM estore_migrations", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    let owner = Connection::open(&database.owner_config()).await.unwrap();
    owner.batch_execute("ALTER TABLE notes ADD COLUMN more text").await.unwrap();
}

#[tokio::test]
async fn a_database_is_fresh_and_goes_with_its_test() {
    let cluster = TestCluster::shared().await;
    let first = cluster.database("payments", MIGRATIONS).await;
    let app = Connection::open(&first.app_config()).await.unwrap();
    app.execute("INSERT INTO notes (body) VALUES ('a')", &[]).await.unwrap();
    let second = cluster.database("payments", MIGRATIONS).await;
    let other = Connection::open(&second.app_config()).await.unwrap();
    assert!(other.query("SELECT FROM notes", &[]).await.unwrap().is_empty());
    let (config, name) = (first.app_config(), first.name().to_owned());
    drop(first);
    assert!(Connection::open(&config).await.is_err(), "{name} should be gone");
}

#[tokio::test]
async fn a_service_is_kept_out_of_its_neighbours() {
    let database = TestCluster::shared().await.database("users", &[]).await;
    assert!(Connection::open(&database.config_as("estore_payments_app")).await.is_err());
    assert!(Connection::open(&database.config_as("estore_readonly")).await.is_ok());
}

const SPECIFICATION: &str = "-- db: users\nCREATE TABLE users (id serial PRIMARY KEY);
-- db: payments
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
";

#[tokio::test]
async fn migrations_are_held_against_the_specification() {
    let cluster = TestCluster::shared().await;
    cluster.assert_specified("payments", MIGRATIONS, SPECIFICATION).await;
    cluster.check_migrations("payments", MIGRATIONS, &[(202601010000, "INSERT INTO notes (body) VALUES ('a')")]).await;
}

#[tokio::test]
#[should_panic(expected = "index idx_notes_body is missing")]
async fn what_the_specification_has_more_is_named() {
    let wanted = format!("{SPECIFICATION} CREATE INDEX idx_notes_body ON notes(body);");
    TestCluster::shared().await.assert_specified("payments", MIGRATIONS, &wanted).await;
}
