//! A death while the shop tells of what happened: receivers hear of it at least once and in order, buyers get one letter.

use std::time::{Duration, Instant};

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::receiver::Receiver;
use estore_testkit::shop::{Processes, Shop};
use reqwest::Method;
use serde_json::{Value, json};

use crate::buyers::{insist, key, once, order_of, verify_clean};
use crate::own_shop;

/// The crash points on the way to receivers and letters.
pub const POINTS: &[&str] = &[
    "before_publish_events",
    "after_publish_events",
    "after_claim_deliveries",
    "after_post_delivery",
    "deliveries_before_commit",
    "after_write_deliveries",
    "before_write_letters",
    "after_write_letters",
    "after_drop_notices",
];

/// How soon after the restart everything must have been heard.
const HEARD_TIME_MAX: Duration = Duration::from_secs(45);
/// How long a letter may take: longer than a mailer's claim on it.
const LETTER_TIME_MAX: Duration = Duration::from_secs(120);
const END_TIME_MAX: Duration = Duration::from_secs(40);
const READY_TIME_MAX: Duration = Duration::from_secs(60);
/// Cents.
const PRICE: i64 = 700;

/// The kinds of what was heard of a thing, each message once, in the order in which it first came.
fn kinds(receiver: &Receiver, prefix: &str, id: i64) -> Vec<String> {
    let mut seen = Vec::new();
    let mut kinds = Vec::new();
    for message in receiver.messages() {
        let (kind, message_id) = (message.json["type"].as_str().unwrap(), message.header("webhook-id"));
        if kind.starts_with(prefix) && message.json["data"]["id"] == id && !seen.contains(&message_id) {
            seen.push(message_id);
            kinds.push(kind.to_owned());
        }
    }
    kinds
}

async fn kinds_become(receiver: &Receiver, prefix: &str, id: i64, wanted: &[&str], point: &str) {
    let begun = Instant::now();
    loop {
        let found = kinds(receiver, prefix, id);
        if found == wanted {
            return;
        }
        assert!(begun.elapsed() < HEARD_TIME_MAX, "{point}: {wanted:?} of {id} wanted, {found:?} came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The letters to an address that hold `text`.
fn letters(shop: &Shop, email: &str, text: &str) -> usize {
    let folder = shop.address.data_dir.join("mail");
    let mails = std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok());
    mails.filter(|mail| mail.contains(email) && mail.contains(text)).count()
}

/// Waits for the one letter. One that a mailer had in hand when it died is posted by the next after a while.
async fn one_letter(shop: &Shop, email: &str, text: &str, point: &str) {
    let begun = Instant::now();
    while letters(shop, email, text) == 0 {
        assert!(begun.elapsed() < LETTER_TIME_MAX, "{point}: no letter holding {text:?} came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(letters(shop, email, text), 1, "{point}: letters holding {text:?}");
}

async fn ready_or_dead(shop: &mut Shop) {
    let begun = Instant::now();
    while begun.elapsed() < READY_TIME_MAX {
        // News that were on their way may take it to the point before it is ready.
        let ready = tokio::time::timeout(Duration::from_millis(500), shop.wait_until_ready()).await;
        if ready.is_ok() || shop.has_ended(0, Duration::ZERO).await {
            return;
        }
    }
    panic!("neither ready nor dead within {READY_TIME_MAX:?}");
}

async fn die_at(shop: &mut Shop, point: &str, buyer: &Client, key: &str, body: &Value) {
    shop.kill(0);
    shop.launch(0, &[("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "2"), ("ESTORE_TEST_CRASH_AT", point)]);
    ready_or_dead(shop).await;
    let _cut_off_or_answered = once(buyer, "/v1/orders", key, body).await;
    assert!(shop.has_ended(0, END_TIME_MAX).await, "{point} is never reached");
    shop.launch(0, &[("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "2")]);
    shop.wait_until_ready().await;
}

#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn a_death_while_news_go_out_loses_none_and_tells_them_in_order() {
    let mut shop = own_shop(Processes::One).await;
    let receiver = Receiver::start().await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let method = buyer.card(CARD_APPROVED).await;
    let _endpoint =
        admin.post("/v1/webhook-endpoints", &json!({ "url": receiver.url, "events": ["all"] })).await.expect(201);
    for point in POINTS {
        let begun = Instant::now();
        let product = admin.product(PRICE, 5).await;
        let path = format!("/v1/products/{product}");
        let _level = admin.send(Method::PATCH, &path, Some(&json!({ "min_stock_level": 4 })), &[]).await.expect(200);
        let (key, body) = (key(), order_of(product, 1, method));
        die_at(&mut shop, point, &buyer, &key, &body).await;
        let order = insist(&buyer, "/v1/orders", &key, &body).await.expect(201).id();
        kinds_become(&receiver, "order.", order, &["order.created", "order.paid"], point).await;
        kinds_become(&receiver, "product.", product, &["product.low_stock"], point).await;
        verify_clean(&shop, HEARD_TIME_MAX).await;
        let thanks = format!("Thank you for your order {order}\r\n");
        nothing_is_left(&admin, &receiver.url).await;
        // The books are closed: whoever would have a second letter written has been told by now.
        one_letter(&shop, &buyer.email, &thanks, point).await;
        println!("{:>6} ms  {point}", begun.elapsed().as_millis());
    }
}

/// Waits until no delivery is open.
async fn nothing_is_left(admin: &Client, url: &str) {
    let begun = Instant::now();
    let endpoints = admin.get("/v1/webhook-endpoints?limit=100").await.expect(200);
    let of = |one: &&Value| one["url"] == url;
    let endpoint =
        endpoints.json["data"].as_array().unwrap().iter().find(of).unwrap()["id"].as_str().unwrap().to_owned();
    for state in ["pending", "waiting"] {
        let path = format!("/v1/webhook-endpoints/{endpoint}/deliveries?state={state}");
        while !admin.get(&path).await.expect(200).json["data"].as_array().unwrap().is_empty() {
            assert!(begun.elapsed() < HEARD_TIME_MAX, "deliveries are still {state}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
