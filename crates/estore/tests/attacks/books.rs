//! The shop's books as its databases have them, to be held against what buyers were told.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::roles::Service;
use estore_testkit::shop::Shop;

/// What the databases know of the checkouts under some keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Checkouts that were paid.
    pub paid: i64,
    /// Orders of those checkouts.
    pub orders: i64,
    /// Sales that the gateway made for the checkouts under the key, paid or not.
    pub charges: i64,
    /// What those sales took, in cents.
    pub charged: i64,
    /// What went back, in cents.
    pub refunded: i64,
}

/// The records of keys, by key.
pub async fn of_keys(shop: &Shop, keys: &[String]) -> BTreeMap<String, Record> {
    let sql = "SELECT c.idempotency_key AS key,
                      count(*) FILTER (WHERE c.status = 'paid') AS paid,
                      coalesce(sum(o.orders) FILTER (WHERE c.status = 'paid'), 0)::int8 AS orders,
                      count(s.key) FILTER (WHERE s.state = 'captured') AS charges,
                      coalesce(sum(s.amount) FILTER (WHERE s.state = 'captured'), 0)::int8 AS charged,
                      coalesce(sum(s.refunded_amount), 0)::int8 AS refunded
               FROM checkouts c
               LEFT JOIN sandbox_sales s ON s.key = c.id
               LEFT JOIN LATERAL (SELECT count(*) AS orders FROM orders WHERE checkout_id = c.id) o ON true
               WHERE c.idempotency_key = ANY ($1)
               GROUP BY c.idempotency_key";
    let payments = shop.database(Service::Payments).await;
    let rows = payments.query(sql, &[&keys]).await.unwrap();
    let record = |row: &tokio_postgres::Row| Record {
        paid: row.get("paid"),
        orders: row.get("orders"),
        charges: row.get("charges"),
        charged: row.get("charged"),
        refunded: row.get("refunded"),
    };
    rows.iter().map(|row| (row.get("key"), record(row))).collect()
}

/// The record of one key.
pub async fn of_key(shop: &Shop, key: &str) -> Record {
    of_keys(shop, &[key.to_owned()]).await.remove(key).unwrap_or_default()
}

/// How many sales the gateway made for whatever was begun under some keys, written as a checkout or not.
pub async fn sales_under(shop: &Shop, keys: &[String]) -> i64 {
    let sql = "SELECT count(*) FROM idempotency_keys k JOIN sandbox_sales s ON s.key = k.resource_id
               WHERE k.key = ANY ($1) AND s.state = 'captured'";
    shop.database(Service::Payments).await.query_one(sql, &[&keys]).await.unwrap().get(0)
}

/// One number from a service's database.
pub async fn number(shop: &Shop, service: Service, sql: &str) -> i64 {
    shop.database(service).await.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// Of each product: what was put in, and what is sold and not come back, as the movements and holds say.
pub async fn put_in_and_sold(shop: &Shop) -> BTreeMap<i64, (i64, i64)> {
    let sql = "SELECT p.id::int8,
                      coalesce((SELECT sum(delta) FROM stock_movements m WHERE m.product_id = p.id
                                AND kind IN ('initial', 'import', 'adjustment')), 0)::int8,
                      coalesce((SELECT sum(l.quantity) FROM hold_lines l JOIN holds h USING (checkout_id)
                                WHERE l.product_id = p.id AND h.state = 'sold'), 0)::int8
                      - coalesce((SELECT sum(delta) FROM stock_movements m WHERE m.product_id = p.id
                                  AND kind = 'restock'), 0)::int8
               FROM products p";
    let inventory = shop.database(Service::Inventory).await;
    let rows = inventory.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}

/// Waits until so many sessions of the service wait for a lock.
///
/// # Panics
/// When they do not within 20 seconds.
pub async fn waiting(database: &Connection, service: Service, wanted: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'";
    let begun = Instant::now();
    loop {
        // Within a transaction the server shows what it showed before, unless it is told not to.
        database.batch_execute("SELECT pg_stat_clear_snapshot()").await.unwrap();
        let found: i64 = database.query_one(sql, &[&service.writer()]).await.unwrap().get(0);
        if found >= wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{found} of {wanted} wait for the lock");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
