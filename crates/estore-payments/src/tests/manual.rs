//! The gateway `manual`: orders wait for staff.

use std::sync::Arc;

use serde_json::{Value, json};

use super::bench::{BUYER, Bench, CUP, Got, LAST, OTHER, STAFF, TEA};
use crate::PaymentsConfig;
use crate::gateway::Gateway;
use crate::gateway::manual::Manual;
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::sweep_orphans::sweep_orphans;
use crate::service::now;

async fn shop() -> Bench {
    let config = PaymentsConfig { gateway: "manual".to_owned(), ..PaymentsConfig::default() };
    Bench::start_with(config, |_| Some(Arc::new(Manual) as Arc<dyn Gateway>)).await
}

async fn invoice(bench: &Bench, user: i32) -> Got {
    let body = json!({"payment_type": "invoice", "details": {}});
    bench.send(bench.request(user, "POST", "/v1/payment-methods", None, &body)).await
}

async fn set_paid(bench: &Bench, user: i32, order: i64) -> Got {
    let body = json!({"status": "paid", "note": "bank statement of Monday"});
    bench.send(bench.request(user, "PUT", &format!("/v1/orders/{order}/status"), None, &body)).await
}

async fn cancel(bench: &Bench, user: i32, order: i64) -> Got {
    bench.send(bench.request(user, "POST", &format!("/v1/orders/{order}/cancel"), None, &Value::Null)).await
}

async fn status(bench: &Bench, order: i64) -> Value {
    bench.get(STAFF, &format!("/v1/orders/{order}")).await.expect(200).json["status"].clone()
}

#[tokio::test]
async fn an_invoice_waits_for_staff_who_set_it_paid() {
    let bench = shop().await;
    let method = invoice(&bench, BUYER).await.expect(201);
    assert_eq!((&method.json["payment_type"], &method.json["details"]), (&json!("invoice"), &json!({})));
    assert_eq!(invoice(&bench, BUYER).await.expect(200).id(), method.id());
    let card = json!({"payment_type": "card", "details": {"card_number": "4242424242424242"}});
    bench.send(bench.request(BUYER, "POST", "/v1/payment-methods", None, &card)).await.expect(422);
    let placed = bench.order(BUYER, "k1", LAST, 1, method.id()).await.expect(201);
    assert_eq!(placed.json["status"], "pending");
    assert!(bench.order(BUYER, "k1", LAST, 1, method.id()).await.expect(201).is_replay());
    // Neither a restart nor the jobs end it, and its unit is nobody else's.
    resume_checkouts(&bench.payments.shop, Some(now())).await.unwrap();
    sweep_orphans(&bench.payments.shop, Some(now())).await.unwrap();
    let other = invoice(&bench, OTHER).await.expect(201).id();
    assert_eq!(bench.order(OTHER, "k2", LAST, 1, other).await.expect(409).code(), "out_of_stock");
    assert_eq!(bench.count("SELECT count(*) FROM ledger_entries").await, 0);
    bench.verify().await;
    set_paid(&bench, BUYER, placed.id()).await.expect(403);
    assert_eq!(set_paid(&bench, STAFF, placed.id()).await.expect(200).json["status"], "paid");
    assert_eq!(set_paid(&bench, STAFF, placed.id()).await.expect(409).code(), "illegal_transition");
    let booked = "SELECT sum(amount)::bigint FROM ledger_entries WHERE account = 'gateway_clearing'";
    assert_eq!(bench.count(booked).await, 500);
    let events = bench.get(BUYER, &format!("/v1/orders/{}/events", placed.id())).await.expect(200).json;
    let paid = &events["data"][1];
    assert_eq!((&paid["type"], &paid["actor_id"]), (&json!("order.paid"), &json!(STAFF)));
    assert_eq!(paid["note"], "bank statement of Monday");
    bench.relay().await;
    assert_eq!(bench.stock.holds("sold"), 1);
    let refund = json!({"amount": 200, "reason": "scratched"});
    bench.post(STAFF, &format!("/v1/orders/{}/refunds", placed.id()), "r1", refund).await.expect(201);
    bench.verify().await;
}

#[tokio::test]
async fn a_checkout_is_paid_or_cancelled_as_a_whole() {
    let bench = shop().await;
    let method = invoice(&bench, BUYER).await.expect(201).id();
    let lines = json!([{"product_id": TEA, "quantity": 2}, {"product_id": CUP, "quantity": 1}]);
    let mut orders = Vec::new();
    for key in ["k1", "k2"] {
        let body = json!({"lines": lines, "payment_method_id": method});
        let placed = bench.post(BUYER, "/v1/checkouts", key, body).await.expect(201).json;
        assert_eq!(placed["status"], "pending");
        orders.push([0, 1].map(|n| placed["orders"][n]["id"].as_i64().unwrap()));
    }
    set_paid(&bench, STAFF, orders[0][1]).await.expect(200);
    assert_eq!(
        (status(&bench, orders[0][0]).await, status(&bench, orders[0][1]).await),
        (json!("paid"), json!("paid"))
    );
    cancel(&bench, OTHER, orders[1][0]).await.expect(404);
    assert_eq!(cancel(&bench, BUYER, orders[1][0]).await.expect(200).json["status"], "cancelled");
    assert_eq!(cancel(&bench, BUYER, orders[1][0]).await.expect(200).json["status"], "cancelled");
    assert_eq!(status(&bench, orders[1][1]).await, "cancelled");
    assert_eq!(set_paid(&bench, STAFF, orders[1][1]).await.expect(409).code(), "illegal_transition");
    bench.relay().await;
    assert_eq!((bench.stock.left(TEA), bench.stock.left(CUP)), (99_998, 99_999));
    assert_eq!((bench.stock.holds("sold"), bench.stock.holds("released")), (1, 1));
    assert_eq!(bench.count("SELECT count(*) FROM refunds").await, 0);
    bench.verify().await;
}

#[tokio::test]
async fn paying_and_cancelling_at_once_end_in_one_of_them() {
    let bench = Arc::new(shop().await);
    let method = invoice(&bench, BUYER).await.expect(201).id();
    for n in 0..12 {
        let order = bench.order(BUYER, &format!("k{n}"), TEA, 1, method).await.expect(201).id();
        let (paid, cancelled, again) =
            tokio::join!(set_paid(&bench, STAFF, order), cancel(&bench, BUYER, order), set_paid(&bench, STAFF, order));
        let ended = status(&bench, order).await;
        match ended.as_str().unwrap() {
            "paid" => assert!(paid.status == 200 || again.status == 200, "{} {}", paid.json, again.json),
            "cancelled" => assert_eq!(cancelled.status, 200, "{}", cancelled.json),
            other => panic!("{other}"),
        }
        bench.relay().await;
        bench.verify().await;
    }
    let sold = bench.count("SELECT count(*) FROM orders WHERE status = 'paid'").await;
    assert_eq!(i64::from(bench.stock.left(TEA)), 100_000 - sold);
}
