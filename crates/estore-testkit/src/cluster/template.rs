//! Databases that are migrated once and copied for each test.

use std::time::Duration;

use estore_kit::migration::Migration;
use estore_ops::connection::{Connection, quote_identifier};
use estore_ops::migrate::{Database, MigrateOptions, Migrator, silent};
use estore_ops::roles::{self, Service};
use sha2::{Digest, Sha256};
use tokio_postgres::Config;

/// The template of these migrations, made by the first test that asks for it.
pub(super) async fn ensure(administrator: &Config, service: Service, migrations: &[Migration]) -> String {
    let digest = digest(migrations);
    let name = format!("{}_template_{}", service.database(), &digest[..16]);
    let connection = Connection::open(administrator).await.expect("the test server answers");
    if exists(&connection, &name).await {
        return name;
    }
    let key = i64::from_str_radix(&digest[..15], 16).expect("a digest is hex");
    lock(&connection, key).await;
    if exists(&connection, &name).await {
        return name;
    }
    let draft = format!("{name}_draft");
    roles::drop_database(&connection, &draft).await.expect("a cut draft can be removed");
    roles::create_database(&connection, &draft, service, None).await.expect("the template can be made");
    roles::prepare_database(administrator, &draft, service).await.expect("the template can be prepared");
    if !migrations.is_empty() {
        let mut config = administrator.clone();
        config.dbname(&draft);
        let migrator = Migrator::new(migrations, MigrateOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        let done = migrator.up(&Database::of(service, config), None, &mut silent).await;
        done.unwrap_or_else(|error| panic!("{error}"));
    }
    let rename = format!("ALTER DATABASE {} RENAME TO {}", quote_identifier(&draft), quote_identifier(&name));
    // The sessions that prepared it may take a moment to end.
    for _ in 0..100 {
        if connection.batch_execute(&rename).await.is_ok() {
            return name;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the template {name} stays in use");
}

async fn exists(connection: &Connection, name: &str) -> bool {
    let found = connection.query("SELECT FROM pg_database WHERE datname = $1", &[&name]).await;
    !found.expect("the databases can be listed").is_empty()
}

/// Polled: a session waiting in the lock would hold up the copying of templates.
async fn lock(connection: &Connection, key: i64) {
    loop {
        let row = connection.query_one("SELECT pg_try_advisory_lock($1)", &[&key]).await;
        if row.expect("an advisory lock can be tried").get(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn digest(migrations: &[Migration]) -> String {
    let mut hash = Sha256::new();
    for migration in migrations {
        for text in [&migration.version.to_string(), migration.name, migration.up, migration.down] {
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
    hex::encode(hash.finalize())
}
