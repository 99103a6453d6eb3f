//! Kills at moments that hurt; the shop's books still close.

use std::time::Duration;

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::own_shop;

/// Buys one unit: repeats its key until there is a final answer.
async fn insist(buyer: Client, product: i64, method: i64) -> i64 {
    let key = Uuid::now_v7().to_string();
    let body = json!({ "product_id": product, "quantity": 1, "payment_method_id": method });
    for _ in 0..600 {
        let headers = [("idempotency-key", key.as_str())];
        match buyer.try_send(Method::POST, "/v1/orders", Some(&body), &headers).await {
            Ok(answer) if answer.status == 201 => return answer.id(),
            Ok(answer) if answer.status >= 500 || answer.code() == "request_in_progress" => {}
            Ok(answer) => panic!("{}: {}", answer.status, answer.text),
            Err(_away) => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no answer for {key}");
}

async fn buyers_survive(shop: &mut Shop, mut blow: impl AsyncFnMut(&mut Shop)) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 1_000).await;
    let buyers: Vec<_> = (0..60)
        .map(|n| {
            let buyer = buyer.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(n * 10)).await;
                insist(buyer, product, method).await
            })
        })
        .collect();
    for pause in [100, 350] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        blow(shop).await;
    }
    let mut orders = Vec::new();
    for buyer in buyers {
        orders.push(buyer.await.unwrap());
    }
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 60, "each key bought once");
    assert_eq!(admin.get(&format!("/v1/products/{product}")).await.json["quantity"], 1_000 - 60);
    // What a killed request left behind is finished or undone by itself.
    let mut told = String::new();
    for _ in 0..60 {
        let (ok, out, err) = shop.try_estore(&["verify"], "");
        if ok {
            return;
        }
        told = format!("{out}\n{err}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("the promises are not kept:\n{told}");
}

#[tokio::test]
async fn kills_of_the_shop_lose_and_repeat_nothing() {
    let mut shop = own_shop(Processes::One).await;
    buyers_survive(&mut shop, async |shop| {
        shop.kill_all();
        shop.start_processes().await;
    })
    .await;
}

#[tokio::test]
async fn kills_of_postgresql_lose_and_repeat_nothing() {
    let mut shop = own_shop(Processes::One).await;
    buyers_survive(&mut shop, async |shop| {
        let file = shop.address.data_dir.join("postgres/data/postmaster.pid");
        // After the last kill it may not be back yet: no file, or the file of the dead one.
        for _ in 0..600 {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let pid = text.lines().next().and_then(|line| line.parse().ok()).map(nix::unistd::Pid::from_raw);
            if pid.is_some_and(|pid| nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).is_ok()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL does not come back");
    })
    .await;
}
