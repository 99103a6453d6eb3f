//! A payments database with orders in it, and what can be said of its table of orders.

use estore_ops::connection::Connection;
use estore_ops::partition::{PartitionEvent, PartitionOptions};
use estore_testkit::cluster::{TestCluster, TestDatabase};
use estore_testkit::plans::fill;
use tokio_postgres::Row;

/// Orders that a table is filled with; their ids are 1 and up.
pub const ORDERS: u64 = 900;
/// Ids of a partition.
pub const ROWS: i64 = 1_000;

/// Everything that makes up the schema.
const SCHEMA: &str = include_str!("../../../estore-ops/queries/schema_fingerprint.sql");
/// What a shop's own administrator may have hung on the table.
const EXTRAS: &str = "
    CREATE VIEW paid_orders AS SELECT id, user_id FROM orders WHERE status = 'paid';
    GRANT SELECT ON paid_orders TO estore_readonly;
    COMMENT ON TABLE orders IS 'One line of a checkout each';
    COMMENT ON COLUMN orders.quantity IS 'Units';
    GRANT UPDATE (status) ON orders TO estore_monitor;
    ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.05);
    ALTER TABLE orders ALTER COLUMN user_id SET STATISTICS 200;
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY everybody ON orders TO estore_payments_app USING (true);
    CREATE POLICY readers ON orders FOR SELECT TO estore_readonly USING (user_id <> '1');
    CREATE FUNCTION tell_order() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER orders_told AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION tell_order();
    CREATE TRIGGER orders_changed AFTER UPDATE ON orders REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION tell_order();
    ALTER TABLE orders DISABLE TRIGGER orders_told;";

/// A database and a connection as its administrator.
pub struct Table {
    pub database: TestDatabase,
    pub admin: Connection,
}

impl Table {
    /// With orders in it, and with what an administrator hangs on a table.
    pub async fn filled() -> Self {
        let table = Self::plain().await;
        table.run(&format!("SET ROLE estore_payments_owner; {EXTRAS} RESET ROLE")).await;
        table
    }

    /// With orders in it.
    pub async fn plain() -> Self {
        Self::of(ORDERS).await
    }

    /// With so many orders in it.
    pub async fn of(orders: u64) -> Self {
        let database = TestCluster::shared().await.database("payments", estore_payments::MIGRATIONS).await;
        let admin = Connection::open(&database.admin_config()).await.unwrap();
        fill(&admin, include_str!("../../../estore-bench/queries/fill_payments.sql"), orders).await;
        Self { database, admin }
    }

    pub async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
    }

    pub async fn rows(&self, sql: &str) -> Vec<Row> {
        self.admin.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}\n{error:?}"))
    }

    /// The schema, object by object, in the search path of migrations; without the brackets of conditions, which
    /// PostgreSQL sets otherwise once it has read its own text.
    pub async fn schema(&self) -> Vec<(String, Option<String>)> {
        self.run("SET search_path = public").await;
        let plain = |text: String| text.replace(['(', ')'], "");
        let object = |row: &Row| (row.get(0), row.get::<_, Option<String>>(1).map(plain));
        let mut found: Vec<_> = self.rows(SCHEMA).await.iter().map(object).collect();
        found.sort();
        found
    }

    /// How many orders there are, and a hash of them.
    pub async fn contents(&self) -> (i64, String) {
        let sql = "SELECT count(*), sum(hashtextextended(o::text, 0))::text FROM orders o";
        let rows = self.rows(sql).await;
        (rows[0].get(0), rows[0].get(1))
    }

    /// Where the rows and indexes of a table lie.
    pub async fn files(&self, table: &str) -> Vec<i64> {
        let sql = format!(
            "SELECT relfilenode::bigint FROM pg_class WHERE oid = '{table}'::regclass \
             OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '{table}'::regclass) ORDER BY 1"
        );
        self.rows(&sql).await.iter().map(|row| row.get(0)).collect()
    }

    /// Adds orders of one line each, the way the service writes them, from the next id on.
    pub async fn add(&self, count: i64) {
        self.run(&format!(
            "WITH bought AS (
                 INSERT INTO checkouts (id, user_id, idempotency_key, operation, status, total_amount, currency, payment_method_id)
                 SELECT gen_random_uuid(), 1, 'k' || n || random(), 'order', 'paid', 100, 'USD', 1000001
                 FROM generate_series(1, {count}) n RETURNING id
             )
             INSERT INTO orders (checkout_id, user_id, product_id, quantity, unit_price, total_amount, currency, payment_method_id,
                 status, captured_amount)
             SELECT id, '1', '7', 1, 100, 100, 'USD', 1000001, 'paid', 100 FROM bought"
        ))
        .await;
    }

    /// Lets the next order have this id.
    pub async fn next_id(&self, id: i64) {
        self.run(&format!("SELECT setval('orders_id_seq', {id}, false)")).await;
    }

    pub async fn partitions(&self) -> Vec<String> {
        let sql = "SELECT relname || ' ' || pg_get_expr(relpartbound, oid) FROM pg_class
                   WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'orders'::regclass)
                   ORDER BY oid::regclass::text";
        let mut found: Vec<String> = self.rows(sql).await.iter().map(|row| row.get(0)).collect();
        let name = |part: &String| part.split(' ').next().unwrap_or_default().to_owned();
        found.sort_by_key(|part| (name(part).len(), name(part)));
        found
    }
}

pub fn options() -> PartitionOptions {
    PartitionOptions { rows: Some(ROWS), batch: 100, ..PartitionOptions::default() }
}

/// Does not look.
pub fn silent(_: PartitionEvent) {}
