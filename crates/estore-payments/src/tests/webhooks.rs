//! Events that go out: exactly the committed ones, in order, to endpoints that administrators made.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::bench::{ADMIN, BUYER, Bench, CUP, Got, OTHER, STAFF, TEA};
use super::receiver::{Manners, Receiver};
use crate::PaymentsConfig;
use crate::gateway::Gateway;
use crate::gateway::manual::Manual;
use crate::operations::relay_outbox::relay_outbox;
use crate::operations::{deliver_webhooks, tell_buyers};
use crate::service::Shop;

/// A service that may deliver to this machine and loses patience soon.
pub(super) async fn bench(retry_seconds: &[u32]) -> Bench {
    Bench::configured(PaymentsConfig {
        resume_after_seconds: 1,
        webhooks_allow_private: true,
        webhook_retry_seconds: retry_seconds.to_vec(),
        ..PaymentsConfig::default()
    })
    .await
}

/// The jobs that tell others, ended with this. Not the sweep: the neighbour in memory cannot tell it how old holds are.
pub(super) struct Jobs(CancellationToken, Option<JoinHandle<()>>);

impl Jobs {
    pub(super) fn start(bench: &Bench) -> Self {
        let (stop, shop) = (CancellationToken::new(), Arc::clone(&bench.payments.shop));
        let token = stop.clone();
        Self(
            stop,
            Some(tokio::spawn(async move {
                tokio::join!(
                    relay(&shop, &token),
                    deliver_webhooks::run(&shop, &token, false),
                    tell_buyers::run(&shop, &token)
                );
            })),
        )
    }

    pub(super) async fn stop(mut self) {
        self.0.cancel();
        self.1.take().unwrap().await.unwrap();
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn relay(shop: &Shop, stop: &CancellationToken) {
    let holder = Uuid::now_v7();
    while !stop.is_cancelled() {
        drop(relay_outbox(shop, holder, false).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(relay_outbox(shop, holder, false).await);
}

pub(super) async fn endpoint(bench: &Bench, url: &str, events: &[&str]) -> Got {
    let body = json!({"url": url, "events": events});
    bench.send(bench.request(ADMIN, "POST", "/v1/webhook-endpoints", None, &body)).await.expect(201)
}

async fn deliveries(bench: &Bench, endpoint: &Got, query: &str) -> Vec<Value> {
    let id = endpoint.json["id"].as_str().unwrap();
    let got = bench.get(ADMIN, &format!("/v1/webhook-endpoints/{id}/deliveries?limit=100{query}")).await.expect(200);
    got.json["data"].as_array().unwrap().clone()
}

/// The endpoint's deliveries in a state, once there are at least so many.
pub(super) async fn deliveries_once(bench: &Bench, endpoint: &Got, state: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = deliveries(bench, endpoint, &format!("&state={state}")).await;
        if found.len() >= count {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", deliveries(bench, endpoint, "").await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn step(bench: &Bench, order: i64, status: &str) {
    let body = json!({"status": status});
    let path = format!("/v1/orders/{order}/status");
    bench.send(bench.request(STAFF, "PUT", &path, None, &body)).await.expect(200);
}

#[tokio::test]
async fn every_committed_event_arrives_once_signed_and_in_order() {
    let bench = bench(&[1]).await;
    let receiver = Receiver::start(Manners::Takes).await;
    let made = endpoint(&bench, &receiver.url(), &["all"]).await;
    let secret = made.json["secret"].as_str().unwrap().to_owned();
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    let order = bench.order(BUYER, "k1", TEA, 2, card).await.expect(201).id();
    let cancelled = bench.order(BUYER, "k2", CUP, 1, card).await.expect(201).id();
    let poor = bench.card(BUYER, "4000000000000002").await;
    bench.order(BUYER, "k3", TEA, 1, poor).await.expect(402);
    for status in ["processing", "shipped", "delivered"] {
        step(&bench, order, status).await;
    }
    for (key, amount) in [("r1", 100), ("r2", 400)] {
        let body = json!({"amount": amount, "reason": "scratched"});
        bench.post(STAFF, &format!("/v1/orders/{order}/refunds"), key, body).await.expect(201);
    }
    let cancel = format!("/v1/orders/{cancelled}/cancel");
    bench.send(bench.request(BUYER, "POST", &cancel, None, &json!({}))).await.expect(200);
    let messages = receiver.wait_for(12).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.messages().len(), 12, "nothing comes twice");
    let of = |id: i64| -> Vec<&str> { messages.iter().filter(|m| m.order() == id).map(|m| m.kind()).collect() };
    assert_eq!(
        of(order),
        ["order.created", "order.paid", "order.shipped", "order.delivered", "order.refunded", "order.refunded"]
    );
    assert_eq!(of(cancelled), ["order.created", "order.paid", "order.cancelled", "order.refunded"]);
    assert_eq!(of(cancelled + 1), ["order.created", "order.failed"]);
    let ids: HashSet<&str> = messages.iter().map(|m| m.header("webhook-id")).collect();
    assert_eq!(ids.len(), 12);
    for message in &messages {
        assert!(message.is_signed_with(&secret));
        assert_eq!(message.json["id"], message.header("webhook-id"));
    }
    let paid = messages.iter().find(|m| m.order() == order && m.kind() == "order.paid").unwrap();
    assert_eq!((&paid.json["data"]["status"], &paid.json["data"]["amount"]), (&json!("paid"), &json!(500)));
    let refunds: Vec<_> = messages.iter().filter(|m| m.kind() == "order.refunded").collect();
    let amounts: HashSet<_> = refunds.iter().map(|m| m.json["data"]["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, HashSet::from([100, 400, 1_000]));
    jobs.stop().await;
    assert_eq!(bench.count("SELECT count(*) FROM outbox").await, 0);
    bench.verify().await;
}

#[tokio::test]
async fn an_order_that_waits_for_staff_is_told_at_once_and_so_is_its_end() {
    let config = PaymentsConfig { gateway: "manual".into(), webhooks_allow_private: true, ..PaymentsConfig::default() };
    let bench = Bench::start_with(config, |_| Some(Arc::new(Manual) as Arc<dyn Gateway>)).await;
    let receiver = Receiver::start(Manners::Takes).await;
    endpoint(&bench, &receiver.url(), &["all"]).await;
    let jobs = Jobs::start(&bench);
    let body = json!({"payment_type": "invoice", "details": {}});
    let method = bench.send(bench.request(BUYER, "POST", "/v1/payment-methods", None, &body)).await.expect(201).id();
    let paid = bench.order(BUYER, "k1", TEA, 1, method).await.expect(201).id();
    let cancelled = bench.order(BUYER, "k2", TEA, 1, method).await.expect(201).id();
    let created = receiver.wait_for(2).await;
    assert!(created.iter().all(|m| m.kind() == "order.created"));
    step(&bench, paid, "paid").await;
    let cancel = format!("/v1/orders/{cancelled}/cancel");
    bench.send(bench.request(BUYER, "POST", &cancel, None, &Value::Null)).await.expect(200);
    let messages = receiver.wait_for(4).await;
    let of = |id: i64| -> Vec<&str> { messages.iter().filter(|m| m.order() == id).map(|m| m.kind()).collect() };
    assert_eq!(of(paid), ["order.created", "order.paid"]);
    assert_eq!(of(cancelled), ["order.created", "order.cancelled"]);
    jobs.stop().await;
    bench.verify().await;
}

#[tokio::test]
async fn a_change_that_is_rolled_back_tells_nothing() {
    let bench = bench(&[1]).await;
    let receiver = Receiver::start(Manners::Takes).await;
    endpoint(&bench, &receiver.url(), &["all"]).await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let order = bench.order(BUYER, "k1", TEA, 2, card).await.expect(201).id();
    {
        let mut client = bench.db.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let locked = crate::store::orders::lock(&transaction, i32::try_from(order).unwrap()).await.unwrap().unwrap();
        crate::store::orders::cancel(&transaction, locked.order.id, BUYER, crate::service::now()).await.unwrap();
        transaction.rollback().await.unwrap();
    }
    let jobs = Jobs::start(&bench);
    receiver.wait_for(2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let kinds: Vec<String> = receiver.messages().iter().map(|m| m.kind().to_owned()).collect();
    assert_eq!(kinds, ["order.created", "order.paid"]);
    jobs.stop().await;
    bench.verify().await;
}

#[tokio::test]
async fn without_an_endpoint_no_delivery_is_written_and_only_what_was_asked_for_is_sent() {
    let bench = bench(&[1]).await;
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k1", TEA, 2, card).await.expect(201);
    let begun = Instant::now();
    while bench.count("SELECT count(*) FROM outbox").await > 0 && begun.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.count("SELECT count(*) FROM webhook_deliveries").await, 0);
    let (paid, shipped) = (Receiver::start(Manners::Takes).await, Receiver::start(Manners::Takes).await);
    endpoint(&bench, &paid.url(), &["order.paid"]).await;
    endpoint(&bench, &shipped.url(), &["order.shipped", "order.created"]).await;
    let order = bench.order(BUYER, "k2", TEA, 2, card).await.expect(201).id();
    step(&bench, order, "processing").await;
    step(&bench, order, "shipped").await;
    assert_eq!(paid.wait_for(1).await[0].kind(), "order.paid");
    let kinds: Vec<String> = shipped.wait_for(2).await.iter().map(|m| m.kind().to_owned()).collect();
    assert_eq!(kinds, ["order.created", "order.shipped"]);
    jobs.stop().await;
    assert_eq!(paid.messages().len(), 1);
    bench.verify().await;
}

#[tokio::test]
async fn events_do_not_wait_for_an_inventory_that_is_away() {
    let bench = bench(&[1]).await;
    let receiver = Receiver::start(Manners::Takes).await;
    endpoint(&bench, &receiver.url(), &["all"]).await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    bench.stock.is_away.store(true, SeqCst);
    let jobs = Jobs::start(&bench);
    receiver.wait_for(2).await;
    assert_eq!(bench.count("SELECT count(*) FROM outbox WHERE is_published").await, 1);
    bench.stock.is_away.store(false, SeqCst);
    let begun = Instant::now();
    while bench.stock.holds("sold") == 0 && begun.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.stock.holds("sold"), 1);
    jobs.stop().await;
    assert_eq!(receiver.messages().len(), 2, "nothing is told twice");
    assert_eq!(bench.count("SELECT count(*) FROM outbox").await, 0);
    bench.verify().await;
}

#[tokio::test]
async fn endpoints_are_administrators_business_and_secrets_are_shown_once() {
    let bench = bench(&[1]).await;
    let receiver = Receiver::start(Manners::Takes).await;
    let body = json!({"url": receiver.url(), "events": ["order.paid"], "description": "for the warehouse"});
    for user in [BUYER, OTHER, STAFF] {
        bench.send(bench.request(user, "POST", "/v1/webhook-endpoints", None, &body)).await.expect(403);
        bench.get(user, "/v1/webhook-endpoints").await.expect(403);
    }
    let made = bench.send(bench.request(ADMIN, "POST", "/v1/webhook-endpoints", None, &body)).await.expect(201);
    let secret = made.json["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let path = format!("/v1/webhook-endpoints/{}", made.json["id"].as_str().unwrap());
    for shown in
        [bench.get(ADMIN, &path).await.expect(200), bench.get(ADMIN, "/v1/webhook-endpoints").await.expect(200)]
    {
        assert!(!shown.json.to_string().contains("whsec_"));
        assert!(shown.json.to_string().contains("for the warehouse"));
    }
    for (body, pointer) in [
        (json!({"url": "https://example.com", "events": []}), "/events"),
        (json!({"url": "https://example.com", "events": ["order.eaten"]}), "/events/0"),
        (json!({"url": "https://u:p@example.com", "events": ["all"]}), "/url"),
        (json!({"url": "https://example.com", "events": ["all"], "description": "x".repeat(256)}), "/description"),
    ] {
        let got = bench.send(bench.request(ADMIN, "POST", "/v1/webhook-endpoints", None, &body)).await.expect(422);
        assert_eq!(got.json["errors"][0]["pointer"], pointer);
    }
    let jobs = Jobs::start(&bench);
    receiver.behave(Manners::Refuses);
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    receiver.wait_for(1).await;
    bench.send(bench.request(ADMIN, "DELETE", &path, None, &json!({}))).await.expect(204);
    bench.send(bench.request(ADMIN, "DELETE", &path, None, &json!({}))).await.expect(404);
    assert_eq!(bench.get(ADMIN, "/v1/webhook-endpoints").await.expect(200).json["data"], json!([]));
    assert_eq!(deliveries_once(&bench, &made, "dead", 1).await.len(), 1);
    let replay = bench.request(ADMIN, "POST", &format!("{path}/deliveries/replay"), None, &json!({}));
    bench.send(replay).await.expect(404);
    jobs.stop().await;
}
