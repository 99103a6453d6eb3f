//! Events of other services, and what buyers are told of.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use estore_api::events::{EventsApi, ServiceEvent};
use estore_api::neighbour::CallError;
use estore_api::users::{NoticeKind, OrderNotice, UsersApi};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::bench::{ADMIN, BUYER, Bench, CUP, OTHER, STAFF, TEA};
use super::receiver::{Manners, Receiver};
use super::webhooks::Jobs;
use crate::PaymentsConfig;
use crate::operations::erase_customers::erase_latecomers;
use crate::store::customers;

/// A UserService that fails at first.
#[derive(Default)]
struct Desk {
    failures_left: AtomicUsize,
    notices: Mutex<Vec<OrderNotice>>,
}

#[async_trait]
impl UsersApi for Desk {
    async fn notify(&self, notices: Vec<OrderNotice>) -> Result<(), CallError> {
        self.notices.lock().unwrap().extend(notices);
        let fails = self.failures_left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails { Err(CallError { service: "users", cause: "the answer was lost".into() }) } else { Ok(()) }
    }
}

fn settings() -> PaymentsConfig {
    PaymentsConfig { webhooks_allow_private: true, ..PaymentsConfig::default() }
}

#[tokio::test]
async fn events_of_other_services_are_delivered_once_and_in_order_of_their_subject() {
    let bench = Bench::configured(settings()).await;
    let receiver = Receiver::start(Manners::Takes).await;
    let body = json!({"url": receiver.url(), "events": ["product.low_stock", "user.verified"]});
    bench.send(bench.request(ADMIN, "POST", "/v1/webhook-endpoints", None, &body)).await.expect(201);
    let event = |kind: &str, subject: &str, n: i32| ServiceEvent {
        id: Uuid::now_v7(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        occurred_at: Timestamp::now(),
        data: json!({"id": n}),
    };
    let mut events: Vec<_> = (0..5).map(|n| event("product.low_stock", "product/1", n)).collect();
    events.push(event("user.verified", "user/7", 7));
    for _ in 0..3 {
        bench.payments.publish(events.clone()).await.unwrap();
    }
    assert!(bench.payments.publish(vec![event("moon.full", "moon/1", 1)]).await.is_err());
    let jobs = Jobs::start(&bench);
    let messages = receiver.wait_for(6).await;
    bench.payments.publish(events.clone()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    jobs.stop().await;
    assert_eq!(receiver.messages().len(), 6, "one told again is not delivered again");
    let of_product: Vec<_> = messages.iter().filter(|m| m.kind() == "product.low_stock").collect();
    assert_eq!(of_product.iter().map(|m| m.order()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(of_product[0].header("webhook-id"), events[0].id.to_string());
    assert_eq!(of_product[0].json["timestamp"], events[0].occurred_at.to_string());
}

/// What UserService says of an account that is erased.
pub(super) fn erased(user: i32) -> ServiceEvent {
    ServiceEvent {
        id: Uuid::now_v7(),
        kind: "user.erased".to_owned(),
        subject: format!("user/{user}"),
        occurred_at: Timestamp::now(),
        data: json!({"id": user}),
    }
}

/// A gateway that keeps cards is to forget those of whoever is erased, and nobody else's.
#[tokio::test]
async fn the_cards_of_an_erased_customer_are_to_be_forgotten() {
    let bench = Bench::configured(settings()).await;
    for who in [BUYER, OTHER] {
        bench.card(who, "4242424242424242").await;
    }
    let off = bench.card(BUYER, "5555555555554444").await;
    bench
        .send(bench.request(BUYER, "DELETE", &format!("/v1/payment-methods/{off}"), None, &json!(null)))
        .await
        .expect(204);
    let kept = "SELECT string_agg(user_id::text, ',') FROM unwanted_cards";
    customers::erase(&bench.db, &[BUYER], Some("sandbox")).await.unwrap();
    let unwanted: Option<String> = bench.db.row(kept, &[]).await.unwrap().unwrap().get(0);
    assert_eq!(unwanted.as_deref(), Some("7"));
}

#[tokio::test]
async fn an_erased_customer_leaves_orders_and_books_and_nothing_personal() {
    let bench = Bench::configured(settings()).await;
    let (card, other) = (bench.card(BUYER, "4242424242424242").await, bench.card(OTHER, "4242424242424242").await);
    let order =
        |card| json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": {"note": "for Ada"}});
    for (who, card) in [(BUYER, card), (OTHER, other)] {
        bench.send(bench.request(who, "POST", "/v1/orders", Some("k"), &order(card))).await.expect(201);
        let poor = bench.card(who, "4000000000000002").await;
        bench.send(bench.request(who, "POST", "/v1/orders", Some("poor"), &order(poor))).await.expect(402);
    }
    // Nobody was erased of late, and nobody is looked for again until somebody is.
    erase_latecomers(&bench.payments.shop).await.unwrap();
    let erased = erased(BUYER);
    for _ in 0..2 {
        bench.payments.publish(vec![erased.clone()]).await.unwrap();
    }
    // One that was paid and one that was declined.
    for (who, left) in [(BUYER, 0), (OTHER, 2)] {
        for what in [
            "payment_methods WHERE is_active",
            "payment_methods WHERE details ->> 'last4' <> '0000'",
            "payment_methods WHERE details ->> 'brand' <> 'erased'",
            "payment_methods WHERE gateway_token <> 'erased'",
            "payment_methods WHERE fingerprint <> 'erased'",
            "orders WHERE metadata <> '{}'",
            "checkouts WHERE metadata <> '{}'",
            "idempotency_keys WHERE answer_body IS NOT NULL",
        ] {
            let count = format!("SELECT count(*) FROM {what} AND user_id::text = '{who}'");
            assert_eq!(bench.count(&count).await, left, "{who}: {what}");
        }
        let paid = format!("SELECT count(*) FROM orders WHERE status = 'paid' AND user_id = '{who}'");
        assert_eq!(bench.count(&paid).await, 1, "the order stays");
    }
    // What a request wrote that was under way is found.
    bench.card(BUYER, "4000000000000002").await;
    erase_latecomers(&bench.payments.shop).await.unwrap();
    let kept = format!("SELECT count(*) FROM payment_methods WHERE is_active AND user_id = '{BUYER}'");
    assert_eq!(bench.count(&kept).await, 0);
    bench.verify().await;
}

#[tokio::test]
async fn buyers_are_told_of_payment_shipping_and_money_back() {
    let bench = Bench::configured(settings()).await;
    let desk = Arc::new(Desk { failures_left: AtomicUsize::new(1), ..Desk::default() });
    bench.payments.tell_buyers_through(desk.clone());
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    let lines = json!([{"product_id": CUP, "quantity": 1}, {"product_id": TEA, "quantity": 2}]);
    let bought = bench.post(BUYER, "/v1/checkouts", "k1", json!({"lines": lines, "payment_method_id": card})).await;
    let bought = bought.expect(201);
    let poor = bench.card(BUYER, "4000000000000002").await;
    bench.order(BUYER, "k2", TEA, 1, poor).await.expect(402);
    let ids: Vec<i64> = bought.json["orders"].as_array().unwrap().iter().map(|o| o["id"].as_i64().unwrap()).collect();
    for status in ["processing", "shipped"] {
        let path = format!("/v1/orders/{}/status", ids[0]);
        bench.send(bench.request(STAFF, "PUT", &path, None, &json!({"status": status}))).await.expect(200);
    }
    let body = json!({"amount": 100, "reason": "scratched"});
    bench.post(STAFF, &format!("/v1/orders/{}/refunds", ids[1]), "r", body).await.expect(201);
    let begun = Instant::now();
    let told = loop {
        let mut told = desk.notices.lock().unwrap().clone();
        told.sort_by_key(|notice| (notice.kind.word(), notice.event_id));
        told.dedup();
        if told.len() == 3 && bench.count("SELECT count(*) FROM order_notices").await == 0 {
            break told;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{told:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    jobs.stop().await;
    let shape: Vec<_> = told.iter().map(|n| (n.kind, n.user_id, n.orders.len(), n.amount)).collect();
    let total = bought.json["total_amount"].as_i64().unwrap();
    let shipped = bought.json["orders"][0]["total_amount"].as_i64().unwrap();
    assert_eq!(
        shape,
        [
            (NoticeKind::Paid, BUYER, 2, total),
            (NoticeKind::Refunded, BUYER, 1, 100),
            (NoticeKind::Shipped, BUYER, 1, shipped),
        ]
    );
    bench.verify().await;
}
