//! What Stripe tells by itself, beside whoever else settles an order at that moment.

use serde_json::{Value, json};

use super::peer::Fault;
use super::{GOOD, StripeShop, WANTS_BUYER, WEBHOOK_SECRET};
use crate::gateway::stripe::config::Secret;
use crate::gateway::stripe::signature::sign;
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::resume_refunds::resume_refunds;
use crate::service::now;
use crate::tests::bench::{BUYER, CUP, Got, LAST};

impl StripeShop {
    pub(super) async fn event(&self, body: &str, signature: &str) -> Got {
        let mut request = self.bench.request(BUYER, "POST", "/v1/stripe/webhook", None, &Value::Null);
        request.headers_mut().insert("stripe-signature", signature.parse().unwrap());
        *request.body_mut() = axum::body::Body::from(body.to_owned());
        self.bench.send(request).await
    }
}

pub(super) fn signed(event: &Value, at: i64) -> (String, String) {
    let body = event.to_string();
    let signature = sign(&Secret::from(WEBHOOK_SECRET), body.as_bytes(), at);
    (body, signature)
}

fn event(id: &str, kind: &str, checkout: &Value) -> Value {
    json!({"id": id, "type": kind, "created": 1_800_000_000,
           "data": {"object": {"metadata": {"estore_checkout": checkout}}}})
}

#[tokio::test]
async fn stripes_own_word_settles_an_order_once() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(WANTS_BUYER).await;
    let needed = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(202);
    let checkout = &needed.json["checkout_id"];
    let now_s = now().as_second();
    // Out of order: a failure is told before it was one, and success before it is. Neither is believed.
    for (id, kind) in [("evt_1", "payment_intent.payment_failed"), ("evt_2", "payment_intent.succeeded")] {
        let (body, signature) = signed(&event(id, kind, checkout), now_s);
        shop.event(&body, &signature).await.expect(200);
    }
    assert_eq!(shop.bench.count("SELECT count(*) FROM checkouts WHERE status = 'pending'").await, 1);
    shop.peer.authenticate(&needed.json["action"], true).await;
    let told = event("evt_3", "payment_intent.succeeded", checkout);
    let (body, signature) = signed(&told, now_s);
    for bad in [signature.replace("v1=", "v1=00"), signed(&told, now_s - 301).1, "x".to_owned()] {
        assert_eq!(shop.event(&body, &bad).await.expect(400).code(), "invalid_signature");
    }
    assert_eq!(shop.bench.count("SELECT count(*) FROM checkouts WHERE status = 'pending'").await, 1);
    for _ in 0..3 {
        shop.event(&body, &signature).await.expect(200);
    }
    assert_eq!(shop.bench.count("SELECT count(*) FROM stripe_events").await, 3);
    assert_eq!(shop.bench.count("SELECT count(*) FROM order_events WHERE type = 'order.paid'").await, 1);
    // An old one comes late.
    let (body, signature) = signed(&event("evt_0", "payment_intent.canceled", checkout), now_s);
    shop.event(&body, &signature).await.expect(200);
    assert!(shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(201).is_replay());
    let (nonsense, signature) = signed(&json!({"id": 7}), now_s);
    assert_eq!(shop.event(&nonsense, &signature).await.expect(400).code(), "invalid_event");
    shop.verify().await;
}

#[tokio::test]
async fn localstripes_own_events_are_believed() {
    let Some(shop) = StripeShop::start().await else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/stripe/webhook", listener.local_addr().unwrap());
    let router = axum::Router::from(shop.bench.payments.router());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    shop.peer.post("/_config/webhooks/test", &json!({"url": url, "secret": WEBHOOK_SECRET})).await;
    let needed = shop.bench.order(BUYER, "k1", LAST, 1, shop.card(WANTS_BUYER).await).await.expect(202);
    shop.peer.authenticate(&needed.json["action"], true).await;
    let paid = "SELECT count(*) FROM checkouts WHERE status = 'paid'";
    for _ in 0..100 {
        if shop.bench.count(paid).await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(shop.bench.count(paid).await, 1, "by the event alone");
    shop.bench.order(BUYER, "k2", crate::tests::bench::TEA, 1, shop.card(GOOD).await).await.expect(201);
    shop.verify().await;
    serving.abort();
}

#[tokio::test]
async fn the_buyer_the_event_and_the_resumer_at_once_settle_an_order_once() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(WANTS_BUYER).await;
    for n in 0..8 {
        let key = format!("k{n}");
        let needed = shop.bench.order(BUYER, &key, CUP, 1, card).await.expect(202);
        shop.peer.authenticate(&needed.json["action"], n % 4 != 3).await;
        shop.bench
            .db
            .execute("UPDATE checkouts SET next_attempt_at = now() WHERE status = 'pending'", &[])
            .await
            .unwrap();
        let id = format!("evt_{n}");
        let told = event(&id, "payment_intent.succeeded", &needed.json["checkout_id"]);
        let (body, signature) = signed(&told, now().as_second());
        let (first, again, resumed, heard, heard_again) = tokio::join!(
            shop.bench.order(BUYER, &key, CUP, 1, card),
            shop.bench.order(BUYER, &key, CUP, 1, card),
            resume_checkouts(&shop.bench.payments.shop, None),
            shop.event(&body, &signature),
            shop.event(&body, &signature),
        );
        resumed.unwrap();
        let last = shop.bench.order(BUYER, &key, CUP, 1, card).await;
        assert_eq!(last.status, if n % 4 == 3 { 402 } else { 201 }, "{}", last.json);
        for one in [first, again] {
            assert!(one.bytes == last.bytes || one.code() == "request_in_progress", "{} {}", one.json, last.json);
        }
        assert!([heard.status, heard_again.status].iter().all(|status| matches!(status, 200 | 503)));
    }
    assert_eq!(shop.peer.balance().await, 6_000);
    assert_eq!(shop.bench.count("SELECT count(*) FROM order_events WHERE type = 'order.paid'").await, 6);
    shop.verify().await;
}

/// Waits until two connections wait for a lock (one settles, another wants to), then lets the table go.
async fn unlock_when_two_settle(shop: &StripeShop, locker: &deadpool_postgres::Client) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let admin = estore_kit::db::Db::new(shop.bench.database.admin_config(), 1).unwrap();
    for _ in 0..2_000 {
        if admin.row(waiting, &[]).await.unwrap().unwrap().get::<_, i64>(0) >= 2 {
            locker.batch_execute("ROLLBACK").await.unwrap();
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no two came to the settlement");
}

/// In other shops the buyer's request and the gateway's webhook each completed the same checkout. Here two
/// of those who may complete it are seen to be at the settlement before any of them gets through.
#[tokio::test]
async fn completion_races_the_webhook() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(WANTS_BUYER).await;
    let locker = estore_kit::db::Db::new(shop.bench.database.owner_config(), 1).unwrap().client().await.unwrap();
    let due = "UPDATE checkouts SET next_attempt_at = now() WHERE status = 'pending'";
    for n in 0..3 {
        let key = format!("k{n}");
        let needed = shop.bench.order(BUYER, &key, CUP, 1, card).await.expect(202);
        shop.peer.authenticate(&needed.json["action"], true).await;
        shop.bench.db.execute(due, &[]).await.unwrap();
        let id = format!("evt_{n}");
        let told = event(&id, "payment_intent.succeeded", &needed.json["checkout_id"]);
        let (body, signature) = signed(&told, now().as_second());
        locker.batch_execute("BEGIN; LOCK TABLE ledger_transactions IN SHARE MODE").await.unwrap();
        let (bought, heard, heard_again, resumed, ()) = tokio::join!(
            shop.bench.order(BUYER, &key, CUP, 1, card),
            shop.event(&body, &signature),
            shop.event(&body, &signature),
            resume_checkouts(&shop.bench.payments.shop, None),
            unlock_when_two_settle(&shop, &locker),
        );
        resumed.unwrap();
        let last = shop.bench.order(BUYER, &key, CUP, 1, card).await.expect(201);
        assert!(bought.bytes == last.bytes || bought.code() == "request_in_progress", "{} {}", bought.json, last.json);
        assert_eq!((heard.status, heard_again.status), (200, 200), "{} {}", heard.json, heard_again.json);
    }
    assert_eq!(shop.peer.balance().await, 3_000);
    for counted in [
        "SELECT count(*) FROM order_events WHERE type = 'order.paid'",
        "SELECT count(*) FROM ledger_transactions",
        "SELECT count(*) FROM outbox WHERE topic = 'checkout.paid'",
    ] {
        assert_eq!(shop.bench.count(counted).await, 3, "{counted}");
    }
    shop.verify().await;
}

#[tokio::test]
async fn news_of_a_refund_hurries_it_and_a_late_failure_is_shown_to_staff() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let order = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201).id();
    shop.line.fail("POST /v1/refunds", Fault::LoseAnswer, 1);
    shop.refund(order, "r1", 300).await.expect(504);
    let id: uuid::Uuid = shop.bench.db.row("SELECT id FROM refunds", &[]).await.unwrap().unwrap().get(0);
    let news = |event: &str, status: &str| {
        let object = json!({"metadata": {"estore_refund": id}, "status": status});
        signed(&json!({"id": event, "type": "refund.updated", "data": {"object": object}}), now().as_second())
    };
    shop.bench.db.execute("UPDATE refunds SET next_attempt_at = now() + interval '1 hour'", &[]).await.unwrap();
    let (body, signature) = news("evt_1", "succeeded");
    shop.event(&body, &signature).await.expect(200);
    resume_refunds(&shop.bench.payments.shop, None).await.unwrap();
    shop.refund(order, "r1", 300).await.expect(201);
    assert_eq!(shop.peer.list("refunds").await.len(), 1);
    let attention = "SELECT count(*) FROM refunds WHERE needs_attention_since IS NOT NULL";
    assert_eq!(shop.bench.count(attention).await, 0);
    let (body, signature) = news("evt_2", "failed");
    shop.event(&body, &signature).await.expect(200);
    assert_eq!(shop.bench.count(attention).await, 1);
    shop.verify().await;
}
