//! Many buyers at once for little stock, many repeats at once, many refunds at once.

use std::time::Duration;

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::Shop;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::buyers::{checkout_of, insist, key, once, order_of, stock};
use crate::{amount, books};

crate::in_one_and_three!(
    five_hundred_buyers_and_one_unit,
    two_hundred_buyers_and_fifty_units,
    overlapping_checkouts_in_opposite_orders,
    one_key_a_hundred_times,
    one_of_two_refunds,
);

/// Some customers with a card each, who take turns.
async fn customers(shop: &Shop, count: usize) -> Vec<(Client, i64)> {
    let mut customers = Vec::new();
    for _ in 0..count {
        let buyer = Client::customer(shop).await;
        let method = buyer.card(CARD_APPROVED).await;
        customers.push((buyer, method));
    }
    customers
}

async fn five_hundred_buyers_and_one_unit(shop: &Shop) {
    let (admin, customers) = tokio::join!(Client::admin(shop), customers(shop, 4));
    let product = admin.product(1_999, 1).await;
    let buyers = (0..500).map(|n| {
        let (buyer, method) = &customers[n % customers.len()];
        async move { once(buyer, "/v1/orders", &key(), &order_of(product, 1, *method)).await.expect("an answer") }
    });
    let answers = join_all(buyers).await;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    let others: Vec<_> = answers.iter().filter(|answer| ![201, 409].contains(&answer.status)).collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!((with(201), with(409)), (1, 499));
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.code() == "out_of_stock"));
    assert_eq!(stock(&admin, product).await, 0);
}

async fn two_hundred_buyers_and_fifty_units(shop: &Shop) {
    let (admin, customers) = tokio::join!(Client::admin(shop), customers(shop, 4));
    let product = admin.product(500, 50).await;
    let buyers = (0..200_usize).map(|n| {
        let (buyer, method) = &customers[n % customers.len()];
        let wanted = i64::try_from(n % 3).unwrap() + 1;
        async move {
            let answer = once(buyer, "/v1/orders", &key(), &order_of(product, wanted, *method)).await;
            (wanted, answer.expect("an answer").status)
        }
    });
    let answers = join_all(buyers).await;
    let sold: i64 = answers.iter().filter(|(_, status)| *status == 201).map(|(wanted, _)| wanted).sum();
    let refused = answers.iter().filter(|(_, status)| *status == 409).map(|(wanted, _)| *wanted);
    let least_refused = refused.min().expect("there is less than all want");
    let left = stock(&admin, product).await;
    assert!(answers.iter().all(|(_, status)| [201, 409].contains(status)), "{answers:?}");
    assert_eq!(sold + left, 50);
    assert!(left < least_refused, "{left} left, and a buyer of {least_refused} was sent away");
    let lowest = format!(
        "SELECT coalesce(min(level), 0)::int8 FROM (
             SELECT sum(delta) OVER (ORDER BY id) AS level FROM stock_movements WHERE product_id = {product}) levels"
    );
    assert!(books::number(shop, Service::Inventory, &lowest).await >= 0, "the stock was below zero at some moment");
}

async fn overlapping_checkouts_in_opposite_orders(shop: &Shop) {
    let (admin, customers) = tokio::join!(Client::admin(shop), customers(shop, 4));
    let mut products = Vec::new();
    for _ in 0..12 {
        products.push(admin.product(100, 10_000).await);
    }
    let deadlocks = "SELECT sum(deadlocks)::int8 FROM pg_stat_database WHERE datname LIKE 'estore\\_%'";
    let before = books::number(shop, Service::Inventory, deadlocks).await;
    let checkouts = (0..amount("ESTORE_TEST_OVERLAPS", 240_usize)).map(|n| {
        let (buyer, method) = &customers[n % customers.len()];
        let from = n % 7;
        let mut lines: Vec<(i64, i64)> = products[from..from + 6].iter().map(|product| (*product, 1)).collect();
        if n % 2 == 1 {
            lines.reverse();
        }
        async move {
            let key = key();
            let answer = once(buyer, "/v1/checkouts", &key, &checkout_of(&lines, *method)).await.expect("an answer");
            // Every third is called off again while others buy.
            if n % 3 == 0 {
                let order = answer.json["orders"][0]["id"].as_i64().unwrap_or_default();
                let cancelled = buyer.post(&format!("/v1/orders/{order}/cancel"), &json!({})).await;
                assert_eq!(cancelled.status, 200, "{}", cancelled.text);
            }
            answer
        }
    });
    let answers: Vec<_> = stream::iter(checkouts).buffer_unordered(64).collect().await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    // The server's figures come with a delay.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(books::number(shop, Service::Inventory, deadlocks).await, before, "no deadlock even behind the scenes");
}

async fn one_key_a_hundred_times(shop: &Shop) {
    let (admin, customers) = tokio::join!(Client::admin(shop), customers(shop, 1));
    let (buyer, method) = &customers[0];
    let product = admin.product(100, 100).await;
    let (key, body) = (key(), order_of(product, 1, *method));
    let answers = join_all((0..100).map(|_| insist(buyer, "/v1/orders", &key, &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert!(answers.iter().all(|answer| answer.text == answers[0].text), "equal answers, byte for byte");
    assert_eq!(stock(&admin, product).await, 99);
    let record = books::of_key(shop, &key).await;
    assert_eq!((record.paid, record.orders, record.charges, record.charged), (1, 1, 1, 100));
}

async fn one_of_two_refunds(shop: &Shop) {
    let (admin, customers) = tokio::join!(Client::admin(shop), customers(shop, 1));
    let (buyer, method) = &customers[0];
    let pairs = amount("ESTORE_TEST_REFUND_PAIRS", 50_i64);
    let product = admin.product(100, pairs).await;
    let keys: Vec<String> = (0..pairs).map(|_| key()).collect();
    let pairs = keys.iter().map(|order_key| {
        let admin = &admin;
        async move {
            let order = insist(buyer, "/v1/orders", order_key, &order_of(product, 1, *method)).await.expect(201).id();
            let (path, body) = (format!("/v1/orders/{order}/refunds"), json!({ "amount": 60, "reason": "scratched" }));
            let (one, other) = (key(), key());
            let both = tokio::join!(insist(admin, &path, &one, &body), insist(admin, &path, &other, &body));
            let mut statuses = [both.0.status, both.1.status];
            statuses.sort_unstable();
            assert!(statuses[0] == 201 && [409, 422].contains(&statuses[1]), "{} {}", both.0.text, both.1.text);
            // What is left can still be refunded, and not a cent more.
            let rest = insist(admin, &path, &key(), &json!({ "amount": 41, "reason": "more" })).await;
            assert!([409, 422].contains(&rest.status), "{}", rest.text);
        }
    });
    stream::iter(pairs).buffer_unordered(8).collect::<Vec<()>>().await;
    for (key, record) in books::of_keys(shop, &keys).await {
        assert_eq!((record.charged, record.refunded), (100, 60), "{key}: {record:?}");
    }
}
