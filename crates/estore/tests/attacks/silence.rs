//! Peers that keep their connections open and never answer again, and databases that are away at a start.

use std::time::{Duration, Instant};

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::proxy::Fault;
use estore_testkit::shop::{DATABASE, PAYMENTS, Processes, Shop};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::buyers::{insist, key, order_of, stock_becomes, verify_clean};
use crate::network::{Trouble, survive_troubles, with_proxies_before_postgresql, with_proxy_between};
use crate::own_shop;

const SILENCE: &[Trouble] = &[Trouble::Fault(Fault::Silence)];
/// How soon the books must close.
const RESUME_TIME_MAX: Duration = Duration::from_secs(60);
/// How soon an order goes through where every connection that lies idle is dead.
const ORDER_TIME_MAX: Duration = Duration::from_secs(20);
/// How soon a start that waits has what it waits for.
const START_TIME_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_service_is_given_up() {
    let (shop, inventory) = with_proxy_between(&[("ESTORE_SERVICES__CALL_SECONDS_MAX", "2")]).await;
    survive_troubles(&shop, &[("payments to inventory", &inventory)], SILENCE, 3_000).await;
}

/// The database can be reached anew: somebody looks whether it is at work, long before the limit.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_database_is_looked_at_and_given_up() {
    let (shop, [_users, inventory, payments]) = with_proxies_before_postgresql(&[]).await;
    let proxies = [("inventory's database", &inventory), ("payments' database", &payments)];
    survive_troubles(&shop, &proxies, SILENCE, 3_000).await;
}

/// The same where the limit comes first.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_database_is_given_up_after_the_limit() {
    let (shop, [_users, inventory, payments]) =
        with_proxies_before_postgresql(&[("ESTORE_DATABASES__SILENT_SECONDS_MAX", "2")]).await;
    let proxies = [("inventory's database", &inventory), ("payments' database", &payments)];
    survive_troubles(&shop, &proxies, SILENCE, 3_000).await;
}

/// Processes that were stopped; they go on when the test ends, however it does.
struct Stopped(Vec<Pid>);

impl Drop for Stopped {
    fn drop(&mut self) {
        for pid in &self.0 {
            kill(*pid, Signal::SIGCONT).ok();
        }
    }
}

/// Every process of PostgreSQL that serves the shop stands still, and stays so.
async fn orders_go_on_beside_stopped_sessions(processes: Processes) {
    let shop = own_shop(processes).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 50).await;
    for _ in 0..10 {
        let _bought = insist(&buyer, "/v1/orders", &key(), &order_of(product, 1, method)).await.expect(201);
    }
    verify_clean(&shop, RESUME_TIME_MAX).await;
    let mut stopped = Stopped(Vec::new());
    for service in Service::ALL {
        stopped.0.extend(shop.pause_sessions(service).await);
    }
    assert!(stopped.0.len() >= 3, "{} sessions", stopped.0.len());
    let begun = Instant::now();
    let _bought = insist(&buyer, "/v1/orders", &key(), &order_of(product, 1, method)).await.expect(201);
    println!("{} sessions stopped, the next order after {} ms", stopped.0.len(), begun.elapsed().as_millis());
    assert!(begun.elapsed() < ORDER_TIME_MAX, "an order took {:?}", begun.elapsed());
    drop(stopped);
    let _bought = insist(&buyer, "/v1/orders", &key(), &order_of(product, 1, method)).await.expect(201);
    stock_becomes(&admin, product, 38).await;
    verify_clean(&shop, RESUME_TIME_MAX).await;
}

#[tokio::test]
async fn orders_go_on_beside_stopped_sessions_of_one_process() {
    orders_go_on_beside_stopped_sessions(Processes::One).await;
}

#[tokio::test]
async fn orders_go_on_beside_stopped_sessions_of_three_processes() {
    orders_go_on_beside_stopped_sessions(Processes::Three).await;
}

/// Takes the database and PaymentService away; a buyer, and the order that they wish.
async fn without_database() -> (Shop, Client, Value) {
    let mut shop = own_shop(Processes::Three).await;
    let product = Client::admin(&shop).await.product(100, 5).await;
    let buyer = Client::customer(&shop).await;
    let wish = order_of(product, 1, buyer.card(CARD_APPROVED).await);
    shop.kill(PAYMENTS);
    shop.kill(DATABASE);
    assert!(shop.kill_postgresql());
    (shop, buyer, wish)
}

#[tokio::test]
async fn a_service_waits_for_a_database_that_is_away_at_its_start() {
    let (mut shop, buyer, wish) = without_database().await;
    shop.launch(PAYMENTS, &[]);
    let nobody = Client::anonymous(&shop);
    let begun = Instant::now();
    let ready = loop {
        // Past the routing of public paths: the health of PaymentService.
        let url = format!("{}/health/ready", shop.address.payments);
        match reqwest::get(&url).await {
            Ok(answer) => break answer,
            Err(error) => assert!(begun.elapsed() < START_TIME_MAX, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(ready.status(), 503);
    let told = ready.text().await.unwrap();
    assert!(told.contains("\"payments\"") && told.contains("false"), "{told}");
    let refused = nobody.get("/v1/orders").await;
    assert_eq!((refused.status, refused.code()), (503, "unavailable"), "{}", refused.text);
    shop.launch(DATABASE, &[]);
    shop.wait_until_ready().await;
    assert!(!shop.has_ended(PAYMENTS, Duration::ZERO).await, "the process that waited is the one that serves");
    let _bought = insist(&buyer, "/v1/orders", &key(), &wish).await.expect(201);
    verify_clean(&shop, RESUME_TIME_MAX).await;
}

#[tokio::test]
async fn a_service_does_not_wait_for_ever() {
    let (shop, ..) = without_database().await;
    let listen = shop.address.payments.trim_start_matches("http://").to_owned();
    let output = std::process::Command::new(crate::ESTORE)
        .args(["serve", "payments", "--listen", &listen, "--data-dir"])
        .arg(&shop.address.data_dir)
        .env("ESTORE_DATABASES__WAIT_SECONDS_MAX", "1")
        .env("ESTORE_SERVICES__INVENTORY_URL", &shop.address.inventory)
        .env("ESTORE_SERVICES__USERS_URL", &shop.address.users)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(told.contains("database of payments") && told.contains("wait_seconds_max"), "{told}");
}
