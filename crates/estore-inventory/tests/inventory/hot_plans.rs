//! The statements that move stock go by these indexes, on a shop of ten thousand orders and of a million
//! (`ESTORE_TEST_PLAN_ROWS`), whether PostgreSQL plans for the values at hand or once for all.

use std::collections::BTreeSet;

use estore_inventory::MIGRATIONS;
use estore_testkit::cluster::TestCluster;
use estore_testkit::plans::{fill, paths, rows};

/// Rows in a batch.
const BATCH: u64 = 200;

/// So many of a thing as an array: `of(n)` each, for numbers spread over all orders.
fn array(kind: &str, of: impl Fn(u64) -> String) -> String {
    let each: Vec<String> = (1..=BATCH).map(|n| of(n * (rows() / BATCH) - 3)).collect();
    format!("'{{{}}}'::{kind}[]", each.join(","))
}

#[tokio::test]
async fn hot_statements_go_by_their_index_whatever_the_plan() {
    let database = TestCluster::shared().await.database("inventory", MIGRATIONS).await;
    let (admin, connection) = database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    fill(&admin, include_str!("../../../estore-bench/queries/fill_inventory.sql"), rows()).await;
    let ids = array("uuid", |n| format!("01900000-0000-7000-8000-{n:012x}"));
    let fresh = array("uuid", |n| format!("02900000-0000-7000-8000-{n:012x}"));
    let products = array("integer", |n| (1 + n % 10_000).to_string());
    let units = array("integer", |_| "1".to_owned());
    let statements: [(&str, String, &[&str]); 5] = [
        (include_str!("../../queries/lock_stock.sql"), products.clone(), &["products_pkey"]),
        (
            include_str!("../../queries/insert_holds.sql"),
            format!("{fresh}, {products}, {units}, {units}"),
            &["products_pkey"],
        ),
        (include_str!("../../queries/find_holds.sql"), ids.clone(), &["hold_lines_pkey", "holds_pkey"]),
        // idx_holds_open has the checkouts too: each is looked up, whatever it holds besides.
        (include_str!("../../queries/sell_holds.sql"), ids.clone(), &["holds_pkey", "idx_holds_open"]),
        (
            include_str!("../../queries/release_holds.sql"),
            ids.clone(),
            &["hold_lines_pkey", "holds_pkey", "idx_holds_open", "products_pkey"],
        ),
    ];
    let mut wrong = Vec::new();
    for (sql, arguments, wanted) in statements {
        let wanted: BTreeSet<String> = wanted.iter().map(|&index| index.to_owned()).collect();
        let told = sql.lines().next().unwrap_or_default();
        for (path, plan) in paths(&admin, sql, &arguments).await {
            if path != wanted {
                wrong.push(format!("{told}\nreads by {path:?}, not {wanted:?}:\n{plan}"));
            }
        }
    }
    // This one is planned each time, for as many products as are in memory; those few it may find by reading all.
    let last: i64 = admin.query_one("SELECT max(id) FROM stock_movements", &[]).await.unwrap().get(0);
    let arguments = format!("{}, {products}, 10000", last - 300);
    let [(path, plan), _] = paths(&admin, include_str!("../../queries/refresh_stock.sql"), &arguments).await;
    if !path.contains("stock_movements_order") || path.contains("all of stock_movements") {
        wrong.push(format!("the stock that is shown is read by {path:?}:\n{plan}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
