//! The shop sells while its orders are turned, there and back, and its backups hold each order once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

/// The binary under test.
const ESTORE: &str = env!("CARGO_BIN_EXE_estore");
/// Buyers at once.
const BUYERS: usize = 6;

/// Buyers who buy two products at a time until they are told to stop; every answer must be a sale.
struct Selling {
    buyers: JoinSet<u64>,
    is_over: Arc<AtomicBool>,
}

impl Selling {
    async fn start(shop: &Shop) -> Self {
        let admin = Client::admin(shop).await;
        let products = [admin.product(500, 1_000_000).await, admin.product(700, 1_000_000).await];
        let is_over = Arc::new(AtomicBool::new(false));
        let mut buyers = JoinSet::new();
        for _ in 0..BUYERS {
            let buyer = Client::customer(shop).await;
            let (method, is_over) = (buyer.card(CARD_APPROVED).await, is_over.clone());
            buyers.spawn(async move {
                let mut bought = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let lines = products.map(|product| json!({ "product_id": product, "quantity": 1 }));
                    let body = json!({ "lines": lines, "payment_method_id": method });
                    let key = Uuid::now_v7().to_string();
                    let headers = [("idempotency-key", key.as_str())];
                    let placed =
                        buyer.send(reqwest::Method::POST, "/v1/checkouts", Some(&body), &headers).await.expect(201);
                    let order = placed.json["orders"][0]["id"].as_i64().unwrap();
                    let read = buyer.get(&format!("/v1/orders/{order}")).await.expect(200);
                    assert_eq!(read.id(), order);
                    let newest = buyer.get("/v1/orders?limit=5").await.expect(200);
                    assert!(newest.json["data"].as_array().unwrap().len() >= 2);
                    bought += 2;
                }
                bought
            });
        }
        Self { buyers, is_over }
    }

    /// How many orders were sold.
    async fn stop(mut self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        let mut sold = 0;
        while let Some(bought) = self.buyers.join_next().await {
            sold += bought.unwrap();
        }
        sold
    }
}

fn partition(shop: &Shop, words: &[&str]) -> Value {
    let out = shop.estore(&[&["db", "partition", "orders", "--json"], words].concat(), "");
    serde_json::from_str(&out).unwrap()
}

async fn orders(shop: &Shop) -> i64 {
    let payments = shop.database(Service::Payments).await;
    payments.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0)
}

/// Waits until the shop has sold beyond an id.
async fn sold_beyond(shop: &Shop, id: i64) {
    for _ in 0..6_000 {
        if partition(shop, &["--status"])["next_id"].as_i64().unwrap() > id {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("nobody buys beyond id {id}");
}

async fn turns_while_it_sells(processes: Processes) {
    let shop = Shop::start(Path::new(ESTORE), processes).await;
    let selling = Selling::start(&shop).await;
    sold_beyond(&shop, 50).await;
    let steps = partition(&shop, &["--dry-run", "--rows", "100"]);
    assert!(steps["steps"].as_array().unwrap().len() > 10, "{steps}");
    assert_eq!(partition(&shop, &["--status"])["is_partitioned"], false);
    let turned = partition(&shop, &["--rows", "100"]);
    assert_eq!((&turned["is_partitioned"], &turned["unfinished"]), (&json!(true), &json!([])), "{turned}");
    assert!(turned["held_micros_max"].as_u64().unwrap() > 0);
    // Past the end of the last bounded partition, with maintenance and without.
    let end = turned["partitions"].as_array().unwrap().last().unwrap()["begin_id"].as_i64().unwrap();
    sold_beyond(&shop, end + 50).await;
    partition(&shop, &[]);
    let end = partition(&shop, &["--status"])["next_id"].as_i64().unwrap();
    sold_beyond(&shop, end + 250).await;
    let back = partition(&shop, &["--back"]);
    assert_eq!((&back["is_partitioned"], &back["unfinished"]), (&json!(false), &json!([])), "{back}");
    sold_beyond(&shop, back["next_id"].as_i64().unwrap() + 50).await;
    let again = partition(&shop, &["--rows", "100"]);
    assert_eq!(again["is_partitioned"], true);
    let sold = selling.stop().await;
    assert_eq!(orders(&shop).await, i64::try_from(sold).unwrap());
    shop.estore(&["verify"], "");
    let told = shop.estore(&["db", "partition", "orders", "--status"], "");
    assert!(told.contains("orders_from_0") && told.contains("The next order has id"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_process_sells_while_its_orders_are_turned() {
    turns_while_it_sells(Processes::One).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_processes_sell_while_their_orders_are_turned() {
    turns_while_it_sells(Processes::Three).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_of_partitions_is_proven() {
    let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
    let selling = Selling::start(&shop).await;
    sold_beyond(&shop, 50).await;
    let turned = partition(&shop, &["--rows", "100"]);
    let end = turned["partitions"][1]["begin_id"].as_i64().unwrap();
    sold_beyond(&shop, end + 20).await;
    selling.stop().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let identity = folder.path().join("identity").display().to_string();
    let target = format!("file://{}", folder.path().join("target").display());
    let out = shop.estore(&["backup", "keygen", &identity], "");
    let recipient = out.lines().find_map(|line| line.strip_prefix("Recipient: ")).unwrap();
    shop.estore(&["backup", "create", "--target", &target, "--recipient", recipient], "");
    shop.estore(&["backup", "verify", "--target", &target, "--identity", &identity], "");
}
