//! The catalogue in memory, in a process that edits and in another one that hears of it.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use estore_api::events::{EventsApi, ServiceEvent};
use estore_api::neighbour::CallError;
use estore_inventory::InventoryConfig;
use estore_kit::db::Db;
use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::shop::{Shop, id};

/// How long anything may take before it counts as never.
const NEVER: Duration = Duration::from_secs(20);

struct Nobody;

#[async_trait]
impl EventsApi for Nobody {
    async fn publish(&self, _events: Vec<ServiceEvent>) -> Result<(), CallError> {
        Ok(())
    }
}

pub fn run_jobs(shop: &Shop) -> DropGuard {
    let (inventory, stop) = (shop.inventory.clone(), CancellationToken::new());
    let stopped = stop.clone();
    tokio::spawn(async move { inventory.run_jobs(Arc::new(Nobody), stopped).await });
    stop.drop_guard()
}

/// Two processes on one database, each with its jobs.
async fn two_shops() -> (Shop, Shop, [DropGuard; 2]) {
    let here = Shop::open().await;
    let there = here.another(InventoryConfig::default()).await;
    let jobs = [run_jobs(&here), run_jobs(&there)];
    (here, there, jobs)
}

/// The moment of the stock of a product, or of a list's first.
pub fn moment(body: &Value) -> Timestamp {
    let product = body.pointer("/data/0").unwrap_or(body);
    product["stock_as_of"].as_str().unwrap().parse().unwrap()
}

/// Reads until memory answers, which is seen by two answers of one moment; each answer must be young.
pub async fn from_memory(shop: &Shop, path: &str) -> Value {
    let begun = Instant::now();
    let mut before = None;
    while begun.elapsed() < NEVER {
        let asked = Timestamp::now();
        let body = shop.get(path).await.expect(200);
        let moment = moment(&body);
        assert!(moment >= asked - SignedDuration::from_millis(1_000), "{path}: stock of {moment}, asked at {asked}");
        if before == Some(moment) {
            return body;
        }
        before = Some(moment);
    }
    panic!("{path} is never answered from memory");
}

/// Reads until the answer is as wanted.
async fn becomes(shop: &Shop, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    loop {
        let answer = shop.get(path).await;
        if wanted(&answer.json) {
            return;
        }
        assert!(begun.elapsed() < NEVER, "{path} never becomes {what}: {}", answer.text);
        sleep(Duration::from_millis(5)).await;
    }
}

fn ids(list: &Value) -> Vec<i32> {
    list["data"].as_array().map(|data| data.iter().map(id).collect()).unwrap_or_default()
}

#[tokio::test]
async fn reads_come_from_memory_with_the_bytes_that_the_database_gives() {
    let (here, _there, _jobs) = two_shops().await;
    let category = here.category("Garden", None).await;
    let body = json!({"name": "Spade ,\"quantity\":1", "price": 5, "quantity": 7, "category_id": category,
        "description": "\u{1F600} ".repeat(300), "metadata": {"quantity": 9}});
    let product = id(&here.admin("POST", "/v1/products", body).await.expect(201));
    for path in [format!("/v1/products/{product}"), format!("/v1/products?category_id={category}&sort=price")] {
        let mut kept = from_memory(&here, &path).await;
        let mut read = here.admin("GET", &path, Value::Null).await.expect(200);
        for body in [&mut kept, &mut read] {
            let product = if body.get("data").is_some() { &mut body["data"][0] } else { &mut *body };
            product["stock_as_of"].take();
        }
        assert_eq!(kept, read);
    }
}

#[tokio::test]
async fn edits_show_at_once_here_and_soon_elsewhere() {
    let (here, there, _jobs) = two_shops().await;
    let (top, other) = (here.category("Top", None).await, here.category("Other", None).await);
    let below = here.category("Below", Some(other)).await;
    let body = json!({"name": "Spade", "price": 5, "quantity": 7, "category_id": below});
    let spade = id(&here.admin("POST", "/v1/products", body).await.expect(201));
    let (one, list) = (format!("/v1/products/{spade}"), format!("/v1/products?category_id={top}"));
    for shop in [&here, &there] {
        from_memory(shop, &one).await;
        assert_eq!(ids(&shop.get(&list).await.expect(200)), [0; 0]);
    }
    here.admin("PATCH", &one, json!({"price": 6})).await.expect(200);
    assert_eq!(here.get(&one).await.expect(200)["price"], 6);
    becomes(&there, &one, "dearer", |body| body["price"] == 6).await;

    // Another category's place in the tree brings its products along.
    here.admin("PATCH", &format!("/v1/categories/{other}"), json!({"parent_id": top})).await.expect(200);
    assert_eq!(ids(&here.get(&list).await.expect(200)), [spade]);
    becomes(&there, &list, "one product", |body| ids(body) == [spade]).await;

    let body = json!({"name": "Hoe", "price": 9, "category_id": top});
    let hoe = id(&here.admin("POST", "/v1/products", body).await.expect(201));
    assert_eq!(ids(&here.get(&list).await.expect(200)), [hoe, spade]);
    becomes(&there, &list, "two products", |body| ids(body) == [hoe, spade]).await;

    here.admin("DELETE", &one, Value::Null).await.expect(204);
    here.get(&one).await.expect_problem(404, "not_found", "");
    assert_eq!(ids(&here.get(&list).await.expect(200)), [hoe]);
    becomes(&there, &one, "hidden", |body| body["code"] == "not_found").await;
    becomes(&there, &list, "one product less", |body| ids(body) == [hoe]).await;

    here.import(format!("id,name,price\n{hoe},Hoe,1.23\n")).await.expect(200);
    assert_eq!(here.get(&format!("/v1/products/{hoe}")).await.expect(200)["price"], 123);
    becomes(&there, &list, "cheaper", |body| body["data"][0]["price"] == 123).await;
}

#[tokio::test]
async fn sales_show_soon_and_announce_nothing() {
    let (here, there, _jobs) = two_shops().await;
    let product = here.product("Spade", 5, 100).await;
    let path = format!("/v1/products/{product}");
    let lists = ["/v1/products", "/v1/products?sort=name"];
    for shop in [&here, &there] {
        from_memory(shop, &path).await;
        from_memory(shop, lists[0]).await;
    }
    let heard = announcements(&here).await;
    for sold in 1..=3 {
        here.hold(Uuid::now_v7(), &[(product, 10)]).await;
        let left = 100 - 10 * sold;
        for shop in [&here, &there] {
            becomes(shop, &path, "less", |body| body["quantity"] == left).await;
            becomes(shop, lists[0], "less", |body| body["data"][0]["quantity"] == left).await;
            becomes(shop, lists[1], "less", |body| body["data"][0]["quantity"] == left).await;
        }
    }
    here.admin("POST", &format!("{path}/stock"), json!({"quantity": 4, "reason": "count"})).await.expect(200);
    assert_eq!(here.get(&path).await.expect(200)["quantity"], 4, "whoever counted sees the number");
    assert_eq!(announcements_of(heard).await, Vec::<String>::new());
    here.verify().await;
}

/// A connection that hears what is announced from now on.
async fn announcements(shop: &Shop) -> (tokio_postgres::Client, tokio::task::JoinHandle<Vec<String>>) {
    let config = shop.database.owner_config();
    let (client, mut connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let tokio_postgres::AsyncMessage::Notification(said) = message {
                heard.push(said.payload().to_owned());
            }
        }
        heard
    });
    client.batch_execute("LISTEN catalogue").await.unwrap();
    (client, heard)
}

async fn announcements_of(
    (client, heard): (tokio_postgres::Client, tokio::task::JoinHandle<Vec<String>>),
) -> Vec<String> {
    client.batch_execute("SELECT 1").await.unwrap();
    drop(client);
    heard.await.unwrap()
}

#[tokio::test]
async fn a_process_that_heard_nothing_for_a_while_shows_nothing_old() {
    let (here, _there, _jobs) = two_shops().await;
    let product = here.product("Spade", 5, 7).await;
    let path = format!("/v1/products/{product}");
    let owner = Db::new(here.database.admin_config(), 1).unwrap();
    let listening = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND (query LIKE '-- The stock of the products that shoppers look at%' OR query = 'LISTEN catalogue')";
    for price in 10..13 {
        from_memory(&here, &path).await;
        let rows = owner.rows(listening, &[]).await.unwrap();
        assert!(!rows.is_empty(), "somebody listens");
        owner.execute("UPDATE products SET price = $1 WHERE id = $2", &[&price, &product]).await.unwrap();
        becomes(&here, &path, "dearer", |body| body["price"] == price).await;
    }
    assert_eq!(from_memory(&here, &path).await["price"], 12);
}

#[tokio::test]
async fn a_shop_without_memory_answers_all_the_same() {
    let shop = Shop::open_with(InventoryConfig { catalogue_bytes_max: 0, ..InventoryConfig::default() }).await;
    let _jobs = run_jobs(&shop);
    let product = shop.product("Spade", 5, 7).await;
    for path in [format!("/v1/products/{product}"), "/v1/products".to_owned()] {
        let (first, second) = (shop.get(&path).await.expect(200), shop.get(&path).await.expect(200));
        assert!(moment(&first) < moment(&second), "{path}");
    }
}

#[tokio::test]
async fn news_are_answered_and_no_news_are_not() {
    let (here, _there, _jobs) = two_shops().await;
    let product = here.product("Spade", 5, 7).await;
    for path in [format!("/v1/products/{product}"), "/v1/products".to_owned()] {
        let tag = here.get(&path).await.etag.unwrap();
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let answer = here.get_with(&path, "if-none-match", &known).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (304, ""), "{path} {known}");
            assert_eq!(answer.etag.as_ref(), Some(&tag));
        }
        here.admin("POST", &format!("/v1/products/{product}/stock"), json!({"delta": 1, "reason": "delivery"}))
            .await
            .expect(200);
        here.get_with(&path, "if-none-match", &tag).await.expect(200);
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let (here, _there, _jobs) = two_shops().await;
    let body = json!({"name": "Spade", "price": 5, "description": "It digs. ".repeat(400)});
    let product = id(&here.admin("POST", "/v1/products", body).await.expect(201));
    for path in [format!("/v1/products/{product}"), "/v1/products".to_owned()] {
        from_memory(&here, &path).await;
        let plain = here.get(&path).await;
        assert!(plain.headers.get("content-encoding").is_none() && plain.headers["vary"] == "accept-encoding");
        let packed = here.get_with(&path, "accept-encoding", "br, gzip").await;
        assert_eq!(packed.headers["content-encoding"], "gzip");
        assert!(packed.bytes.len() * 5 < plain.bytes.len());
        let mut text = String::new();
        GzDecoder::new(packed.bytes.as_ref()).read_to_string(&mut text).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(id(read.pointer("/data/0").unwrap_or(&read)), product);
        // The tag of the compressed answer guards edits as well as the other.
        let tag = packed.etag.unwrap();
        assert_eq!(here.get_with(&path, "if-none-match", &tag).await.status.as_u16(), 304);
        if path.ends_with(&product.to_string()) {
            here.admin_if("PATCH", &path, Some(&tag), json!({"price": 6})).await.expect(200);
        }
    }
    let short = here.product("Hoe", 5, 1).await;
    let answer = here.get_with(&format!("/v1/products/{short}"), "accept-encoding", "gzip").await;
    assert!(answer.headers.get("content-encoding").is_none());
}
