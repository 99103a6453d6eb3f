//! There and back: the same rows, the same schema, and nothing rebuilt on the way there.

use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::migrate::{Back, MigrateOptions, Migrator, compare_with_specification};
use estore_ops::partition::{partition, partitions_ahead, standing, unpartition};
use estore_testkit::cluster::TestCluster;

use crate::table::{ORDERS, Table, options, silent};

const SPECIFICATION: &str = "
CREATE TABLE payment_methods (id SERIAL PRIMARY KEY);
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
CREATE INDEX idx_orders_user ON orders(user_id);
CREATE INDEX idx_orders_status ON orders(status);
CREATE INDEX idx_orders_metadata ON orders USING gin (metadata);";

#[tokio::test]
async fn there_and_back_at_once_moves_no_row() {
    let table = Table::filled().await;
    let (schema, contents, files) = (table.schema().await, table.contents().await, table.files("orders").await);
    let done = partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
    assert!(done.is_partitioned && done.unproven.is_empty() && done.is_analysed, "{done:?}");
    assert_eq!(
        table.partitions().await,
        [
            "orders_from_0 FOR VALUES FROM (MINVALUE) TO (2000)",
            "orders_from_2000 FOR VALUES FROM (2000) TO (3000)",
            "orders_from_3000 FOR VALUES FROM (3000) TO (MAXVALUE)"
        ]
    );
    assert_eq!(table.contents().await, contents);
    assert_eq!(table.files("orders_from_0").await, files, "no index was rebuilt");
    let empty = TestCluster::shared().await.empty_database("payments").await;
    let (specified, found) = (table.database.owner_config(), empty.owner_config());
    let compared = compare_with_specification(&specified, &found, SPECIFICATION);
    assert_eq!(compared.await.unwrap(), [""; 0], "as specified, but partitioned");
    // What hung on the table hangs on it still, and nobody gets past it to a partition.
    let mut rights = Vec::new();
    for object in &schema {
        let kept = ["policy orders.", "trigger orders.", "grants on orders", "comment on orders", "function "];
        if kept.iter().any(|kind| object.0.starts_with(kind)) {
            rights.push(object.clone());
        }
    }
    let turned = table.schema().await;
    for object in rights {
        assert!(turned.contains(&object), "{object:?}\nis missing in\n{turned:#?}");
    }
    let app = Connection::open(&table.database.app_config()).await.unwrap();
    let refused = app.query("SELECT FROM orders_from_0", &[]).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501");
    assert_eq!(app.query("SELECT FROM orders", &[]).await.unwrap().len(), ORDERS as usize);
    let done = unpartition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
    assert!(!done.is_partitioned && done.unproven.is_empty() && !done.has_leftover, "{done:?}");
    assert_eq!(table.files("orders").await, files, "no row was moved");
    assert_eq!(table.contents().await, contents);
    assert_eq!(table.schema().await, schema);
}

#[tokio::test]
async fn orders_of_many_partitions_come_back_into_one_table() {
    let table = Table::filled().await;
    let schema = table.schema().await;
    let database = table.database.migrated();
    partition(&database, &options(), &mut silent).await.unwrap();
    for id in [1_990, 2_990, 3_990] {
        table.next_id(id).await;
        table.add(20).await;
        partitions_ahead(&database, &options(), &mut silent).await.unwrap();
    }
    let contents = table.contents().await;
    assert_eq!(contents.0, 960);
    let again = partitions_ahead(&database, &options(), &mut silent).await.unwrap();
    assert_eq!(again.made, [""; 0], "nothing is left to do");
    unpartition(&database, &options(), &mut silent).await.unwrap();
    assert_eq!(table.contents().await, contents);
    assert_eq!(table.schema().await, schema);
}

#[tokio::test]
async fn a_neglected_end_takes_every_order_and_is_closed_later() {
    let table = Table::plain().await;
    let database = table.database.migrated();
    partition(&database, &options(), &mut silent).await.unwrap();
    // Nobody made partitions while ids ran far beyond the last bounded one, and somebody was refunded.
    table.next_id(7_777).await;
    table.add(30).await;
    table
        .run(
            "INSERT INTO refunds (id, order_id, checkout_id, user_id, kind, amount, currency, reason, requested_by, state, gateway_reference)
             SELECT gen_random_uuid(), id, checkout_id, 1, 'refund', 1, 'USD', 'test', 1, 'succeeded', 'x' FROM orders WHERE id = 7800",
        )
        .await;
    let made = partitions_ahead(&database, &options(), &mut silent).await.unwrap().made;
    assert_eq!(made, ["orders_from_9000", "orders_from_10000"]);
    assert_eq!(
        table.partitions().await,
        [
            "orders_from_0 FOR VALUES FROM (MINVALUE) TO (2000)",
            "orders_from_2000 FOR VALUES FROM (2000) TO (3000)",
            "orders_from_3000 FOR VALUES FROM (3000) TO (9000)",
            "orders_from_9000 FOR VALUES FROM (9000) TO (10000)",
            "orders_from_10000 FOR VALUES FROM (10000) TO (MAXVALUE)"
        ]
    );
    let standing = standing(&database).await.unwrap();
    assert_eq!((standing.unproven.len(), standing.partitions.iter().filter(|p| p.ids_below.is_some()).count()), (0, 0));
    table.add(300).await;
    assert_eq!(table.contents().await.0, 1_230);
}

#[tokio::test]
async fn partitions_counted_as_empty_are_made_anew() {
    let table = Table::plain().await;
    let database = table.database.migrated();
    partition(&database, &options(), &mut silent).await.unwrap();
    table.run("VACUUM ANALYZE").await;
    assert!(standing(&database).await.unwrap().partitions[2].rows_estimated.is_some());
    let made = partitions_ahead(&database, &options(), &mut silent).await.unwrap().made;
    assert_eq!(made, ["orders_from_2000", "orders_from_3000"]);
    let counted = |part: &estore_ops::partition::OrdersPartition| part.rows_estimated.is_some();
    let counted: Vec<bool> = standing(&database).await.unwrap().partitions.iter().map(counted).collect();
    assert_eq!(counted, [true, false, false]);
}

#[tokio::test]
async fn migrations_go_down_and_up_on_partitions() {
    let table = Table::plain().await;
    let database = table.database.migrated();
    let schema = table.schema().await;
    partition(&database, &options(), &mut silent).await.unwrap();
    let turned = table.schema().await;
    let migrator = Migrator::new(estore_payments::MIGRATIONS, MigrateOptions::default()).unwrap();
    let first = estore_payments::MIGRATIONS[0].version;
    // The rows of later tables go with them.
    let back = migrator.down(&database, Back::To(first), true, &mut estore_ops::migrate::silent).await.unwrap();
    assert_eq!(back.reverted.len(), estore_payments::MIGRATIONS.len() - 1);
    migrator.up(&database, None, &mut estore_ops::migrate::silent).await.unwrap();
    assert_eq!(table.schema().await, turned);
    table.add(10).await;
    unpartition(&database, &options(), &mut silent).await.unwrap();
    assert_eq!(table.schema().await, schema);
    assert_eq!(table.contents().await.0, 910);
}

#[tokio::test]
async fn a_column_and_an_index_that_came_meanwhile_stay() {
    let table = Table::plain().await;
    let database = table.database.migrated();
    let change = "SET ROLE estore_payments_owner; SET search_path = public; ALTER TABLE orders ADD COLUMN payment_status VARCHAR;
                  CREATE INDEX idx_orders_payment_status ON orders(payment_status); RESET ROLE";
    partition(&database, &options(), &mut silent).await.unwrap();
    table.run(change).await;
    table.next_id(1_995).await;
    table.add(10).await;
    unpartition(&database, &options(), &mut silent).await.unwrap();
    let turned = table.schema().await;
    let other = Table::plain().await;
    other.run(change).await;
    assert_eq!(turned, other.schema().await);
}

const BY_PRODUCT: Migration = Migration {
    version: 209_901_010_000,
    name: "orders_by_product",
    up: "-- no-transaction\nCREATE INDEX CONCURRENTLY idx_orders_product ON orders(product_id);",
    down: "-- no-transaction\nDROP INDEX CONCURRENTLY idx_orders_product;",
};

#[tokio::test]
async fn a_migration_builds_an_index_concurrently_partition_by_partition() {
    let table = Table::plain().await;
    let database = table.database.migrated();
    partition(&database, &options(), &mut silent).await.unwrap();
    let turned = table.schema().await;
    let all = [estore_payments::MIGRATIONS, &[BY_PRODUCT]].concat();
    let migrator = Migrator::new(&all, MigrateOptions::default()).unwrap();
    // What a cut run left.
    table
        .run(
            "SET ROLE estore_payments_owner; CREATE INDEX idx_orders_product ON ONLY public.orders(product_id);
              CREATE INDEX orders_from_0_idx_orders_product ON public.orders_from_0(product_id); RESET ROLE",
        )
        .await;
    migrator.up(&database, None, &mut estore_ops::migrate::silent).await.unwrap();
    let valid = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid AND indexrelid::regclass::text LIKE '%product'
                 AND NOT indisunique ORDER BY 1";
    let valid: Vec<String> = table.rows(valid).await.iter().map(|row| row.get(0)).collect();
    assert_eq!(valid.len(), 4, "the whole and three partitions: {valid:?}");
    migrator.down(&database, Back::Steps(1), false, &mut estore_ops::migrate::silent).await.unwrap();
    assert_eq!(table.schema().await, turned);
}
