//! What is refused: by the partitioned table, and by the command.

use estore_ops::connection::Connection;
use estore_ops::partition::{PartitionError, partition, preview};

use crate::table::{Table, options, silent};

/// A second order of a product in a checkout, whose ids are on both sides of a partition's end.
const TWICE: &str =
    "INSERT INTO orders (id, checkout_id, user_id, product_id, quantity, unit_price, total_amount, currency)
    SELECT i, '01900000-0000-7000-8000-000000000005', '6', '4711', 1, 1, 1, 'USD' FROM unnest(ARRAY[1999, 2000]) i";

#[tokio::test]
async fn a_checkout_has_one_order_of_a_product_across_partitions() {
    let table = Table::plain().await;
    partition(&table.database.migrated(), &options(), &mut silent).await.unwrap();
    let refused = table.admin.batch_execute(TWICE).await.unwrap_err();
    let db = refused.as_db_error().unwrap();
    assert_eq!((db.code().code(), db.constraint()), ("23505", Some("orders_one_per_product")));
    let refused = table.admin.batch_execute("UPDATE orders SET product_id = '9' WHERE id = 5").await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().code().code(), "23514");
    // Two at once, neither of which sees the other: the second waits for the first.
    let other = Connection::open(&table.database.admin_config()).await.unwrap();
    table.run(&format!("BEGIN; {}", TWICE.replace("ARRAY[1999, 2000]", "ARRAY[1999]"))).await;
    let second = TWICE.replace("ARRAY[1999, 2000]", "ARRAY[2000]");
    let waiting = tokio::spawn(async move { other.batch_execute(&second).await });
    let waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while table.rows(waits).await.is_empty() && !waiting.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    table.run("COMMIT").await;
    let refused = waiting.await.unwrap().unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("orders_one_per_product"));
}

#[tokio::test]
async fn what_would_be_left_behind_is_named() {
    let table = Table::plain().await;
    table
        .run(
            "CREATE MATERIALIZED VIEW sums AS SELECT user_id, sum(total_amount) FROM orders GROUP BY 1;
              CREATE UNIQUE INDEX by_time ON orders (user_id, created_at, product_id, checkout_id);
              CREATE FUNCTION newest() RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders';
              CREATE PUBLICATION news FOR TABLE orders",
        )
        .await;
    let schema = table.schema().await;
    for refused in [
        partition(&table.database.migrated(), &options(), &mut silent).await.map(|_| ()).unwrap_err(),
        preview(&table.database.migrated(), &options()).await.map(|_| ()).unwrap_err(),
    ] {
        let PartitionError::Strangers(named) = &refused else { panic!("{refused}") };
        let named = named.join("\n");
        for word in ["materialized view sums", "by_time", "newest", "publication news"] {
            assert!(named.contains(word), "{word} is not in\n{named}");
        }
    }
    assert_eq!(table.schema().await, schema);
    table.run("DROP PUBLICATION news; DROP FUNCTION newest; DROP INDEX by_time; DROP MATERIALIZED VIEW sums").await;
    let steps = preview(&table.database.migrated(), &options()).await.unwrap().join(";\n");
    assert!(steps.contains("ATTACH PARTITION orders_from_0 FOR VALUES FROM (MINVALUE) TO (2000)"), "{steps}");
}
