//! Every kind of event that can be asked for is told by the shop, once, and buyers get each letter once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, CARD_DECLINED, Client};
use estore_testkit::receiver::{Message, Receiver};
use estore_testkit::shop::{PASSWORD, Shop};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

crate::in_one_and_three!(every_kind_of_event_is_told_once_and_every_letter_written_once);

/// How long a letter may take: longer than a mailer's claim on it.
const LETTER_TIME_MAX: Duration = Duration::from_secs(90);

/// How long news may take.
const HEARD_TIME_MAX: Duration = Duration::from_secs(30);

fn key() -> String {
    Uuid::now_v7().to_string()
}

/// What was heard of a thing, in the order in which it first came. A slow machine may make the shop say it again, with
/// the same id.
fn kinds(receiver: &Receiver, prefix: &str, id: i64) -> Vec<String> {
    let mut seen = HashSet::new();
    let messages = receiver.messages().into_iter();
    let found = messages.filter(|one| one.json["data"]["id"] == id && kind(one).starts_with(prefix));
    found.filter(|one| seen.insert(one.header("webhook-id"))).map(|one| kind(&one).to_owned()).collect()
}

fn kind(message: &Message) -> &str {
    message.json["type"].as_str().unwrap()
}

async fn hears(receiver: &Receiver, prefix: &str, id: i64, wanted: &[&str]) {
    let begun = Instant::now();
    while kinds(receiver, prefix, id).len() < wanted.len() {
        assert!(begun.elapsed() < HEARD_TIME_MAX, "{wanted:?} wanted, {:?} came", kinds(receiver, prefix, id));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(kinds(receiver, prefix, id), wanted);
}

/// The letters to an address that hold `text`.
fn letters(shop: &Shop, email: &str, text: &str) -> usize {
    let folder = shop.address.data_dir.join("mail");
    let mails = std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok());
    mails.filter(|mail| mail.contains(email) && mail.contains(text)).count()
}

async fn gets_once(shop: &Shop, email: &str, text: &str) {
    let begun = Instant::now();
    while letters(shop, email, text) == 0 {
        assert!(begun.elapsed() < LETTER_TIME_MAX, "no letter to {email} holding {text:?} came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn every_kind_of_event_is_told_once_and_every_letter_written_once(shop: &Shop) {
    let receiver = Receiver::start().await;
    let admin = Client::admin(shop).await;
    let body = json!({ "url": receiver.url, "events": ["all"] });
    let made = admin.post("/v1/webhook-endpoints", &body).await.expect(201);
    let buyer = Client::customer(shop).await;
    let buyer_id = buyer.get("/v1/users/me").await.expect(200).id();
    hears(&receiver, "user.", buyer_id, &["user.verified"]).await;

    let product = admin.product(1_250, 10).await;
    let path = format!("/v1/products/{product}");
    let _level = admin.send(Method::PATCH, &path, Some(&json!({ "min_stock_level": 8 })), &[]).await.expect(200);
    let (good, poor) = (buyer.card(CARD_APPROVED).await, buyer.card(CARD_DECLINED).await);
    let delivered = buyer.order(&key(), product, 2, good).await.expect(201).id();
    hears(&receiver, "product.", product, &["product.low_stock"]).await;
    let cancelled = buyer.order(&key(), product, 1, good).await.expect(201).id();
    let _declined = buyer.order(&key(), product, 1, poor).await.expect(402);
    let orders = buyer.get("/v1/orders").await.expect(200);
    let failed =
        orders.json["data"].as_array().unwrap().iter().find(|one| one["status"] == "failed").unwrap()["id"].as_i64();

    for status in ["processing", "shipped", "delivered"] {
        let (path, body) = (format!("/v1/orders/{delivered}/status"), json!({ "status": status }));
        let _moved = admin.send(Method::PUT, &path, Some(&body), &[]).await.expect(200);
    }
    let (path, key, body) =
        (format!("/v1/orders/{delivered}/refunds"), key(), json!({ "amount": 300, "reason": "scratched" }));
    for _ in 0..2 {
        let headers = [("idempotency-key", key.as_str())];
        let _refunded = admin.send(Method::POST, &path, Some(&body), &headers).await.expect(201);
    }
    for _ in 0..2 {
        let _cancelled = buyer.post(&format!("/v1/orders/{cancelled}/cancel"), &json!({})).await.expect(200);
    }

    let wanted = ["order.created", "order.paid", "order.shipped", "order.delivered", "order.refunded"];
    hears(&receiver, "order.", delivered, &wanted).await;
    hears(&receiver, "order.", cancelled, &["order.created", "order.paid", "order.cancelled", "order.refunded"]).await;
    hears(&receiver, "order.", failed.unwrap(), &["order.created", "order.failed"]).await;

    let letters_wanted = [
        format!("Thank you for your order {delivered}\r\n"),
        format!("Your order {delivered} is on its way\r\n"),
        format!("Money of your order {delivered} goes back to you\r\n"),
        format!("Thank you for your order {cancelled}\r\n"),
        format!("Money of your order {cancelled} goes back to you\r\n"),
    ];
    for text in &letters_wanted {
        gets_once(shop, &buyer.email, text).await;
    }
    // Nothing a second time: neither letters nor news.
    for (subject, count) in [("Thank you for your order ", 2), ("Your order ", 1), ("Money of your order ", 2)] {
        assert_eq!(letters(shop, &buyer.email, &format!("Subject: {subject}")), count, "{subject}");
    }
    assert_eq!(kinds(&receiver, "order.", delivered), wanted);
    assert_eq!(kinds(&receiver, "product.", product), ["product.low_stock"]);
    // Before one goes, one takes one's things along.
    let export = buyer.get("/v1/users/me/export").await.expect(200).json;
    assert_eq!(export["orders"].as_array().unwrap().len(), 3, "{export}");
    assert_eq!(export["payment_methods"].as_array().unwrap().len(), 2, "{export}");
    let goodbye = json!({ "current_password": PASSWORD });
    let _erased = buyer.send(Method::DELETE, "/v1/users/me", Some(&goodbye), &[]).await.expect(204);
    hears(&receiver, "user.", buyer_id, &["user.verified", "user.erased"]).await;
    let payments = shop.database(Service::Payments).await;
    let kept =
        "SELECT count(*) FROM payment_methods WHERE user_id = $1 AND (is_active OR details ->> 'last4' <> '0000')";
    let kept: i64 = payments.query_one(kept, &[&buyer_id.to_string()]).await.unwrap().get(0);
    assert_eq!(kept, 0);
    let endpoint = format!("/v1/webhook-endpoints/{}", made.json["id"].as_str().unwrap());
    let _deleted = admin.send(Method::DELETE, &endpoint, None, &[]).await.expect(204);
}
