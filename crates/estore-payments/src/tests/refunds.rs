//! Refunds, cancelling, and the way of an order to the customer.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use serde_json::{Value, json};

use super::bench::{BUYER, Bench, CUP, Got, OTHER, STAFF, TEA};
use crate::operations::resume_refunds::resume_refunds;
use crate::service::now;

async fn bought(bench: &Bench, product: i32, quantity: i32) -> i64 {
    let card = bench.card(BUYER, "4242424242424242").await;
    let key = format!("buy-{product}-{quantity}");
    bench.order(BUYER, &key, product, quantity, card).await.expect(201).id()
}

async fn refund(bench: &Bench, order: i64, key: &str, amount: Option<i32>) -> Got {
    let body = json!({"amount": amount, "reason": "broken on arrival"});
    bench.post(STAFF, &format!("/v1/orders/{order}/refunds"), key, body).await
}

async fn cancel(bench: &Bench, user: i32, order: i64) -> Got {
    bench.send(bench.request(user, "POST", &format!("/v1/orders/{order}/cancel"), None, &Value::Null)).await
}

async fn set_status(bench: &Bench, user: i32, order: i64, status: &str) -> Got {
    let path = format!("/v1/orders/{order}/status");
    bench.send(bench.request(user, "PUT", &path, None, &json!({"status": status}))).await
}

async fn status(bench: &Bench, order: i64) -> (String, i64) {
    let order = bench.get(STAFF, &format!("/v1/orders/{order}")).await.expect(200).json;
    (order["status"].as_str().unwrap().to_owned(), order["refunded_amount"].as_i64().unwrap())
}

#[tokio::test]
async fn refunds_in_parts_end_at_what_was_captured() {
    let bench = Bench::start().await;
    let order = bought(&bench, CUP, 1).await;
    let first = refund(&bench, order, "r1", Some(400)).await.expect(201);
    assert_eq!((&first.json["status"], &first.json["amount"]), (&json!("succeeded"), &json!(400)));
    assert_eq!(status(&bench, order).await, ("partially_refunded".into(), 400));
    let again = refund(&bench, order, "r1", Some(400)).await.expect(201);
    assert_eq!((again.bytes.clone(), again.is_replay()), (first.bytes.clone(), true));
    assert_eq!(refund(&bench, order, "r2", Some(601)).await.expect(409).code(), "refund_exceeds_captured");
    assert_eq!(refund(&bench, order, "r3", None).await.expect(201).json["amount"], 600);
    assert_eq!(status(&bench, order).await, ("refunded".into(), 1_000));
    assert_eq!(refund(&bench, order, "r4", Some(1)).await.expect(409).code(), "not_refundable");
    refund(&bench, 999, "r5", Some(1)).await.expect(404);
    let path = format!("/v1/orders/{order}/refunds");
    bench.post(BUYER, &path, "r6", json!({"reason": "mine"})).await.expect(403);
    bench.post(STAFF, &path, "r7", json!({"reason": "", "amount": 0})).await.expect(422);
    let revenue = "SELECT sum(amount)::bigint FROM ledger_entries WHERE account = 'gateway_clearing'";
    assert_eq!(bench.count(revenue).await, 0);
    bench.verify().await;
}

#[tokio::test]
async fn two_refunds_of_60_on_a_capture_of_100_at_once_are_one() {
    let bench = Arc::new(Bench::start().await);
    for n in 1..=20 {
        let order = bought(&bench, CUP, n).await;
        let (a, b) = (format!("a{n}"), format!("b{n}"));
        let part = Some(n * 600);
        let (one, two) = tokio::join!(refund(&bench, order, &a, part), refund(&bench, order, &b, part));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", one.json, two.json);
        assert_eq!(status(&bench, order).await, ("partially_refunded".into(), i64::from(n * 600)));
    }
    bench.verify().await;
}

#[tokio::test]
async fn cancelling_at_once_by_many_refunds_and_restocks_once() {
    let bench = Arc::new(Bench::start().await);
    let order = bought(&bench, TEA, 4).await;
    assert_eq!(bench.stock.left(TEA), 99_996);
    let sends = (0..10).map(|n| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { cancel(&bench, if n % 2 == 0 { BUYER } else { STAFF }, order).await })
    });
    for send in sends.collect::<Vec<_>>() {
        assert_eq!(send.await.unwrap().expect(200).json["status"], "cancelled");
    }
    bench.relay().await;
    let (first, again) =
        (cancel(&bench, BUYER, order).await.expect(200), cancel(&bench, BUYER, order).await.expect(200));
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(status(&bench, order).await, ("cancelled".into(), 1_000));
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_refunds").await, 1);
    assert_eq!((bench.stock.left(TEA), bench.stock.holds("sold")), (100_000, 1));
    assert_eq!(bench.count("SELECT sum(amount)::bigint FROM sandbox_refunds").await, 1_000);
    bench.verify().await;
}

#[tokio::test]
async fn what_is_foreign_or_too_far_is_not_cancelled() {
    let bench = Bench::start().await;
    let order = bought(&bench, TEA, 1).await;
    cancel(&bench, OTHER, order).await.expect(404);
    set_status(&bench, STAFF, order, "processing").await.expect(200);
    set_status(&bench, STAFF, order, "shipped").await.expect(200);
    assert_eq!(cancel(&bench, BUYER, order).await.expect(409).code(), "not_cancellable");
    bench.verify().await;
}

#[tokio::test]
async fn a_refund_without_an_answer_is_finished_once() {
    let bench = Bench::start().await;
    let order = bought(&bench, CUP, 1).await;
    bench.gateway.loses_answers.store(true, SeqCst);
    assert_eq!(refund(&bench, order, "r1", Some(700)).await.expect(504).code(), "refund_outcome_unknown");
    assert_eq!(refund(&bench, order, "r1", Some(700)).await.expect(409).code(), "request_in_progress");
    assert_eq!(status(&bench, order).await, ("paid".into(), 700));
    // Reserved while nobody knows: no second one can take the same money.
    assert_eq!(refund(&bench, order, "r2", Some(700)).await.expect(409).code(), "refund_exceeds_captured");
    bench.gateway.loses_answers.store(false, SeqCst);
    resume_refunds(&bench.payments.shop, Some(now() + Duration::from_secs(5))).await.unwrap();
    let answer = refund(&bench, order, "r1", Some(700)).await.expect(201);
    assert!(answer.is_replay());
    assert_eq!(status(&bench, order).await, ("partially_refunded".into(), 700));
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_refunds").await, 1);
    bench.verify().await;
}

#[tokio::test]
async fn a_cancel_that_crashed_before_the_gateway_is_finished() {
    let bench = Bench::start().await;
    let order = bought(&bench, CUP, 2).await;
    bench.gateway.loses_answers.store(true, SeqCst);
    bench.stock.is_away.store(true, SeqCst);
    assert_eq!(cancel(&bench, BUYER, order).await.expect(200).json["status"], "cancelled");
    bench.gateway.loses_answers.store(false, SeqCst);
    bench.stock.is_away.store(false, SeqCst);
    resume_refunds(&bench.payments.shop, Some(now() + Duration::from_secs(5))).await.unwrap();
    bench.relay().await;
    assert_eq!(bench.count("SELECT count(*) FROM refunds WHERE state = 'succeeded'").await, 1);
    assert_eq!(bench.stock.left(CUP), 100_000);
    bench.verify().await;
}

#[tokio::test]
async fn a_refused_refund_frees_its_money_again() {
    let bench = Bench::start().await;
    let order = bought(&bench, CUP, 1).await;
    bench.gateway.refuses_refunds.store(true, SeqCst);
    let refused = refund(&bench, order, "r1", None).await.expect(402);
    assert_eq!(refused.code(), "refund_refused");
    assert_eq!(status(&bench, order).await, ("paid".into(), 0));
    bench.gateway.refuses_refunds.store(false, SeqCst);
    assert_eq!(refund(&bench, order, "r1", None).await.expect(402).bytes, refused.bytes);
    refund(&bench, order, "r2", None).await.expect(201);
    bench.verify().await;
}

#[tokio::test]
async fn staff_move_an_order_along_and_no_further() {
    let bench = Bench::start().await;
    let order = bought(&bench, CUP, 1).await;
    set_status(&bench, BUYER, order, "processing").await.expect(403);
    for illegal in ["shipped", "delivered", "cancelled", "refunded", "pending", "paid"] {
        assert_eq!(set_status(&bench, STAFF, order, illegal).await.expect(409).code(), "illegal_transition");
    }
    let path = format!("/v1/orders/{order}/status");
    let stale = bench.get(STAFF, &format!("/v1/orders/{order}")).await.expect(200).headers["etag"].clone();
    let body = json!({"status": "processing", "note": "packed by 4"});
    let mut request = bench.request(STAFF, "PUT", &path, None, &body);
    request.headers_mut().insert("if-match", stale.clone());
    bench.send(request).await.expect(200);
    let mut request = bench.request(STAFF, "PUT", &path, None, &json!({"status": "shipped"}));
    request.headers_mut().insert("if-match", stale);
    assert_eq!(bench.send(request).await.expect(412).code(), "precondition_failed");
    set_status(&bench, STAFF, order, "shipped").await.expect(200);
    set_status(&bench, STAFF, order, "delivered").await.expect(200);
    set_status(&bench, STAFF, 999, "delivered").await.expect(404);
    let events = bench.get(BUYER, &format!("/v1/orders/{order}/events")).await.expect(200).json;
    let notes: Vec<_> = events["data"].as_array().unwrap().iter().map(|e| (&e["type"], &e["note"])).collect();
    assert_eq!(notes[2], (&json!("order.processing"), &json!("packed by 4")));
    assert_eq!(notes.len(), 5);
    bench.verify().await;
}
