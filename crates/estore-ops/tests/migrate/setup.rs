//! A database without a table, and the migrations that are tried on it.

use std::time::Duration;

use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::migrate::{MigrateOptions, Migrator};
use estore_testkit::cluster::{TestCluster, TestDatabase};

pub const ORDERS: Migration = Migration {
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
pub const PAYMENT_STATUS: Migration = Migration {
    version: 202601020000,
    name: "payment_status",
    up: "ALTER TABLE orders ADD COLUMN payment_status VARCHAR;
CREATE INDEX idx_orders_payment_status ON orders(payment_status);",
    down: "-- destructive: every order's payment status
DROP INDEX idx_orders_payment_status;
ALTER TABLE orders DROP COLUMN payment_status;",
};

pub const CONCURRENTLY: Migration = Migration {
    version: 202601030000,
    name: "orders_by_product",
    up: "-- no-transaction\nCREATE INDEX CONCURRENTLY idx_orders_product ON orders(product_id);",
    down: "-- no-transaction\nDROP INDEX CONCURRENTLY idx_orders_product;",
};

pub const ALL: &[Migration] = &[ORDERS, PAYMENT_STATUS, CONCURRENTLY];

pub fn hurried() -> MigrateOptions {
    MigrateOptions {
        lock_wait: Duration::from_secs(1),
        table_wait: Duration::from_millis(100),
        concurrent_wait: Duration::from_secs(20),
        attempts: 3,
    }
}

pub fn runner(migrations: &'static [Migration]) -> Migrator<'static> {
    Migrator::new(migrations, hurried()).expect("a good list")
}

pub async fn fresh() -> TestDatabase {
    TestCluster::shared().await.empty_database("payments").await
}

pub async fn has(database: &TestDatabase, what: &str) -> bool {
    let connection = Connection::open(&database.admin_config()).await.expect("the database answers");
    let row = connection.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&what]).await;
    row.expect("the catalog answers").get(0)
}

pub async fn payment_status_exists(database: &TestDatabase) -> bool {
    let connection = Connection::open(&database.admin_config()).await.expect("the database answers");
    let sql = "SELECT FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'payment_status'
               AND data_type = 'character varying' AND is_nullable = 'YES'";
    !connection.query(sql, &[]).await.expect("the catalog answers").is_empty()
}
