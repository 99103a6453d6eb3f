//! The hot statements go by these indexes, on a shop of ten thousand orders and of a million (`ESTORE_TEST_PLAN_ROWS`),
//! whether PostgreSQL plans for the values at hand or once for all.

use std::collections::BTreeSet;
use std::time::Duration;

use estore_testkit::cluster::{TestCluster, TestDatabase};
use estore_testkit::plans::{fill, paths, rows};
use futures_util::{StreamExt, stream};
use tokio_postgres::Client;

use super::bench::{BUYER, Bench, TEA};
use crate::MIGRATIONS;

/// Rows in a batch.
const BATCH: u64 = 200;

/// A statement, its arguments, and the indexes that it goes by.
struct Hot(&'static str, String, &'static [&'static str]);

/// So many of a thing as an array: `of(n)` each, for numbers spread over all orders.
fn array(kind: &str, of: impl Fn(u64) -> String) -> String {
    let each: Vec<String> = (1..=BATCH).map(|n| of(n * (rows() / BATCH) - 3)).collect();
    format!("'{{{}}}'::{kind}[]", each.join(","))
}

fn statements() -> Vec<Hot> {
    let ids = array("uuid", |n| format!("01900000-0000-7000-8000-{n:012x}"));
    let fresh = array("uuid", |n| format!("02900000-0000-7000-8000-{n:012x}"));
    let users = array("integer", |n| (1 + n % rows()).to_string());
    let keys = array("text", |n| format!("filled-{n}"));
    let (words, bytes) = (array("text", |_| "x".to_owned()), array("bytea", |_| "x".to_owned()));
    let (numbers, small) = (array("integer", |n| (1_000_000 + n).to_string()), array("smallint", |_| "201".to_owned()));
    let (big, json) = (array("bigint", |n| n.to_string()), array("jsonb", |_| "1".to_owned()));
    let times = array("timestamptz", |_| "\"2026-11-22 00:00:00Z\"".to_owned());
    vec![
        Hot(
            include_str!("../../queries/take_keys.sql"),
            format!("{users}, {keys}, {bytes}, {fresh}"),
            &["idempotency_keys_pkey"],
        ),
        Hot(include_str!("../../queries/read_keys.sql"), format!("{users}, {keys}"), &["idempotency_keys_pkey"]),
        Hot(
            include_str!("../../queries/lock_running_keys.sql"),
            format!("{users}, {keys}, {ids}"),
            &["idempotency_keys_resource_id_key"],
        ),
        Hot(
            include_str!("../../queries/finish_keys.sql"),
            format!("{users}, {keys}, {ids}, {small}, {bytes}"),
            &["idempotency_keys_resource_id_key"],
        ),
        Hot(include_str!("../../queries/read_methods.sql"), numbers.clone(), &["payment_methods_pkey"]),
        Hot(
            include_str!("../../queries/write_checkouts.sql"),
            format!(
                "{ids}, {users}, {keys}, {words}, {big}, {numbers}, {words}, {json}, {times}, {words}, {ids}, {numbers}, \
                 {numbers}, {numbers}, {numbers}, {json}, 'USD', 'sandbox', 60"
            ),
            &["idempotency_keys_resource_id_key"],
        ),
        Hot(include_str!("../../queries/sandbox_read_sales.sql"), ids.clone(), &["sandbox_sales_pkey"]),
        Hot(
            include_str!("../../queries/sandbox_make_sales.sql"),
            format!("{fresh}, {words}, {big}"),
            &["sandbox_sales_pkey"],
        ),
        Hot(
            include_str!("../../queries/settle_checkouts.sql"),
            format!(
                "{ids}, {words}, {words}, {words}, {words}, {small}, {bytes}, {times}, {words}, {numbers}, {words}"
            ),
            &["charges_pkey", "checkouts_pkey", "idempotency_keys_resource_id_key", "orders_one_per_product"],
        ),
        Hot(include_str!("../../queries/read_outbox.sql"), "500".to_owned(), &["orders_pkey", "outbox_pkey"]),
        Hot(include_str!("../../queries/read_orders_of_checkouts.sql"), ids.clone(), &["orders_one_per_product"]),
    ]
}

#[tokio::test]
async fn hot_statements_go_by_their_index_whatever_the_plan() {
    let (admin, _database) = filled().await;
    // The relay is behind.
    let untold =
        "INSERT INTO outbox (topic, checkout_id) SELECT 'checkout.paid', id FROM checkouts LIMIT 5000; ANALYZE";
    admin.batch_execute(untold).await.unwrap();
    // As the service does, under the policies.
    admin.batch_execute("SET ROLE estore_payments_writer").await.unwrap();
    all_go_by_their_index(&admin, statements()).await;
}

#[tokio::test]
async fn what_customers_see_goes_by_its_index_under_the_policies() {
    let (admin, _database) = filled().await;
    let as_customer = "SET ROLE estore_payments_app; SET estore.user_id = '42'";
    admin.batch_execute(as_customer).await.unwrap();
    let shown = [
        (include_str!("../../queries/list_orders_of_user.sql"), "'42', 2147483647, NULL, 21", "orders_recent_of_user"),
        (include_str!("../../queries/read_order.sql"), "42", "orders_pkey"),
        (include_str!("../../queries/list_order_events.sql"), "42, 0, 21", "order_id_id_idx"),
    ];
    for (sql, arguments, index) in shown {
        for (_, plan) in paths(&admin, sql, arguments).await {
            assert!(plan.contains(index) && !plan.contains("Seq Scan") && !plan.contains("->  Sort"), "{plan}");
        }
    }
}

/// A shop of many orders.
async fn filled() -> (Client, TestDatabase) {
    let database = TestCluster::shared().await.database("payments", MIGRATIONS).await;
    let (admin, connection) = database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    fill(&admin, include_str!("../../../estore-bench/queries/fill_payments.sql"), rows()).await;
    admin.batch_execute("ANALYZE").await.unwrap();
    (admin, database)
}

async fn all_go_by_their_index(admin: &Client, statements: Vec<Hot>) {
    let mut wrong = Vec::new();
    for Hot(sql, arguments, wanted) in statements {
        let wanted: BTreeSet<String> = wanted.iter().map(|&index| index.to_owned()).collect();
        let told = sql.lines().next().unwrap_or_default();
        for (path, plan) in paths(admin, sql, &arguments).await {
            if path != wanted {
                wrong.push(format!("{told}\nreads by {path:?}, not {wanted:?}:\n{plan}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Orders that a fresh shop takes before anybody has analysed its tables.
const FIRST_ORDERS: i64 = 1_000;

#[tokio::test]
async fn a_shop_that_grows_from_nothing_reads_no_table_whole() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let orders = stream::iter(0..FIRST_ORDERS).map(|n| {
        let bench = &bench;
        async move { bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await.expect(201) }
    });
    assert_eq!(orders.buffer_unordered(64).count().await, 1_000);
    // Sessions report what they read within some seconds.
    let reported = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'orders'";
    for _ in 0..600 {
        if bench.count(reported).await == FIRST_ORDERS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(bench.count(reported).await, FIRST_ORDERS);
    let whole = "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables
                  WHERE relname IN ('orders', 'checkouts', 'charges', 'idempotency_keys', 'sandbox_sales')";
    assert_eq!(bench.count(whole).await, 0);
}
