//! The stock that memory shows, against movements that come late, in masses, and not at all.

use std::time::{Duration, Instant};

use estore_kit::db::Db;
use jiff::Timestamp;
use tokio::time::sleep;
use tokio_postgres::Client;
use tokio_util::sync::DropGuard;
use uuid::Uuid;

use crate::catalogue::{from_memory, moment, run_jobs};
use crate::shop::Shop;

/// How long anything may take before it counts as never: more than the turn of each product takes.
const NEVER: Duration = Duration::from_secs(30);
/// More products than are all read each time.
const PRODUCTS: usize = 300;

/// A shop whose shoppers look at so many products that memory follows what moves.
struct Busy {
    shop: Shop,
    paths: Vec<String>,
    _jobs: DropGuard,
}

impl Busy {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let rows: String = (0..PRODUCTS).map(|number| format!("S-{number},Thing {number},1.00,5\n")).collect();
        shop.import(format!("sku,name,price,quantity\n{rows}")).await.expect(200);
        let db = Db::new(shop.database.admin_config(), 1).unwrap();
        let ids = db.rows("SELECT id FROM products", &[]).await.unwrap();
        let paths = ids.iter().map(|row| format!("/v1/products/{}", row.get::<_, i32>(0))).collect();
        let busy = Self { _jobs: run_jobs(&shop), shop, paths };
        busy.look().await;
        busy
    }

    /// Every product is looked at.
    async fn look(&self) {
        for path in &self.paths {
            self.shop.get(path).await.expect(200);
        }
    }

    /// Every answer of a moment after this one shows so many units; asked until there are `answers` moments of them.
    async fn shows_after(&self, path: &str, since: Timestamp, quantity: i32, answers: usize) {
        let begun = Instant::now();
        let mut seen: Vec<Timestamp> = Vec::new();
        while seen.len() < answers {
            assert!(begun.elapsed() < NEVER, "{path} shows no stock of after {since}");
            self.look().await;
            let body = self.shop.get(path).await.expect(200);
            let moment = moment(&body);
            if moment > since && seen.last() != Some(&moment) {
                let product = body.pointer("/data/0").unwrap_or(&body);
                assert_eq!(product["quantity"], quantity, "{path}: stock of {moment}, changed at {since}");
                seen.push(moment);
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the stock has been read so many times more.
    async fn beats(&self, path: &str, count: usize) {
        let body = from_memory(&self.shop, path).await;
        let quantity = body["quantity"].as_i64().and_then(|quantity| i32::try_from(quantity).ok()).unwrap();
        self.shows_after(path, moment(&body), quantity, count).await;
    }
}

/// A connection of the owner's, for transactions that last.
async fn connection(shop: &Shop) -> Client {
    let (client, connection) = shop.database.owner_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// So many units are taken, one movement each.
async fn take(client: &Client, product: i32, units: i32) {
    let sql = format!(
        "UPDATE products SET quantity = quantity - {units} WHERE id = {product};
         INSERT INTO stock_movements (product_id, delta, kind)
         SELECT {product}, -1, 'adjustment' FROM generate_series(1, {units})"
    );
    client.batch_execute(&sql).await.unwrap();
}

async fn now(client: &Client) -> Timestamp {
    client.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_movement_that_is_committed_after_later_ones_is_shown() {
    let busy = Busy::open().await;
    let (late, other) = (busy.shop.product("Spade", 1_000, 100).await, busy.shop.product("Hoe", 5, 100).await);
    let (path, list) = (format!("/v1/products/{late}"), "/v1/products?min_price=1000");
    busy.beats(&path, 3).await;
    from_memory(&busy.shop, list).await;
    let (slow, quick) = (connection(&busy.shop).await, connection(&busy.shop).await);
    for round in 1..=3 {
        slow.batch_execute("BEGIN").await.unwrap();
        take(&slow, late, 1).await;
        // Movements with higher ids are seen meanwhile, by several reads of stock.
        for _ in 0..3 {
            take(&quick, other, 1).await;
            busy.beats(&path, 2).await;
        }
        slow.batch_execute("COMMIT").await.unwrap();
        let committed = now(&slow).await;
        busy.shows_after(&path, committed, 100 - round, 3).await;
        busy.shows_after(list, committed, 100 - round, 1).await;
    }
    busy.shop.verify().await;
}

#[tokio::test]
async fn a_movement_of_the_newest_transaction_is_shown_when_it_is_committed() {
    let busy = Busy::open().await;
    let (late, other) = (busy.shop.product("Spade", 5, 100).await, busy.shop.product("Hoe", 5, 100).await);
    let path = format!("/v1/products/{late}");
    busy.beats(&path, 3).await;
    let (newest, older) = (connection(&busy.shop).await, connection(&busy.shop).await);
    for round in 1..=3 {
        // The older transaction gives the higher id, and ends: what has ended says nothing of the newest.
        older.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();
        newest.batch_execute("BEGIN").await.unwrap();
        take(&newest, late, 1).await;
        take(&older, other, 1).await;
        older.batch_execute("COMMIT").await.unwrap();
        busy.beats(&path, 4).await;
        newest.batch_execute("COMMIT").await.unwrap();
        busy.shows_after(&path, now(&newest).await, 100 - round, 3).await;
    }
    busy.shop.verify().await;
}

#[tokio::test]
async fn more_movements_than_a_read_looks_at_are_shown() {
    let busy = Busy::open().await;
    let (last, other) = (busy.shop.product("Spade", 5, 100).await, busy.shop.product("Hoe", 5, 9_000).await);
    let path = format!("/v1/products/{last}");
    busy.beats(&path, 3).await;
    let client = connection(&busy.shop).await;
    for round in 1..=3 {
        client.batch_execute("BEGIN").await.unwrap();
        take(&client, other, 2_500).await;
        take(&client, last, 1).await;
        client.batch_execute("COMMIT").await.unwrap();
        let committed = now(&client).await;
        busy.shows_after(&path, committed, 100 - round, 3).await;
        busy.shows_after(&format!("/v1/products/{other}"), committed, 9_000 - 2_500 * round, 1).await;
    }
    busy.shop.verify().await;
}

#[tokio::test]
async fn a_transaction_that_stays_open_holds_up_no_news() {
    let busy = Busy::open().await;
    let product = busy.shop.product("Spade", 5, 5_000).await;
    let path = format!("/v1/products/{product}");
    busy.beats(&path, 3).await;
    let (open, client) = (connection(&busy.shop).await, connection(&busy.shop).await);
    open.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();
    // Fewer movements than are looked at, and more.
    for round in 1..=5 {
        take(&client, product, 100).await;
        busy.shows_after(&path, now(&client).await, 5_000 - 100 * round, 2).await;
    }
    busy.shop.hold(Uuid::now_v7(), &[(product, 1)]).await;
    busy.shows_after(&path, now(&client).await, 5_000 - 501, 2).await;
    open.batch_execute("COMMIT").await.unwrap();
    busy.shop.verify().await;
}

#[tokio::test]
async fn stock_that_was_changed_without_a_movement_is_shown_when_its_turn_comes() {
    let busy = Busy::open().await;
    let product = busy.shop.product("Spade", 5, 100).await;
    let path = format!("/v1/products/{product}");
    busy.beats(&path, 3).await;
    connection(&busy.shop).await.execute("UPDATE products SET quantity = 42 WHERE id = $1", &[&product]).await.unwrap();
    let begun = Instant::now();
    while busy.shop.get(&path).await.expect(200)["quantity"] != 42 {
        assert!(begun.elapsed() < NEVER, "it is never read again");
        busy.look().await;
        sleep(Duration::from_millis(20)).await;
    }
}
