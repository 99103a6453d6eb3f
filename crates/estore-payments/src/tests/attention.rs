//! What staff must look at, and what they can do about it.

use std::sync::atomic::Ordering::SeqCst;

use serde_json::{Value, json};

use super::bench::{BUYER, Bench, CUP, Got, LAST, STAFF, TEA};
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::resume_refunds::resume_refunds;

async fn stuck(bench: &Bench, what: &str) -> Vec<Value> {
    let path = format!("/v1/{what}/needing-attention");
    bench.get(BUYER, &path).await.expect(403);
    bench.get(STAFF, &path).await.expect(200).json["data"].as_array().unwrap().clone()
}

async fn resolve(bench: &Bench, user: i32, what: &str, id: &Value) -> Got {
    let path = format!("/v1/{what}/{}/resolve", id.as_str().unwrap());
    bench.send(bench.request(user, "POST", &path, None, &Value::Null)).await
}

/// The resumer asks until staff are told.
async fn wear_out(bench: &Bench, table: &str, state: &str) {
    for _ in 0..5 {
        let due = format!("UPDATE {table} SET next_attempt_at = now() WHERE {state} = 'pending'");
        bench.db.execute(&due, &[]).await.unwrap();
        resume_checkouts(&bench.payments.shop, None).await.unwrap();
        resume_refunds(&bench.payments.shop, None).await.unwrap();
    }
}

#[tokio::test]
async fn a_checkout_whose_gateway_stays_silent_is_paid_when_staff_look_and_it_was_charged() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.gateway.loses_answers.store(true, SeqCst);
    bench.order(BUYER, "k1", LAST, 1, card).await.expect(504);
    assert_eq!(stuck(&bench, "checkouts").await, Vec::<Value>::new());
    let id = json!(bench.db.row("SELECT id::text FROM checkouts", &[]).await.unwrap().unwrap().get::<_, String>(0));
    assert_eq!(resolve(&bench, STAFF, "checkouts", &id).await.expect(409).code(), "nothing_to_resolve");
    wear_out(&bench, "checkouts", "status").await;
    let found = stuck(&bench, "checkouts").await;
    assert_eq!((found.len(), &found[0]["id"], &found[0]["gateway"]), (1, &id, &json!("sandbox")));
    assert_eq!((&found[0]["attempts"], &found[0]["user_id"]), (&json!(5), &json!(BUYER)));
    assert!(found[0]["needs_attention_since"].is_string() && found[0]["next_attempt_at"].is_string());
    assert_eq!(found[0]["orders"][0]["product_id"], LAST);
    resolve(&bench, BUYER, "checkouts", &id).await.expect(403);
    // While the gateway is silent, nothing is guessed: the stock is held and the order pending.
    assert_eq!(resolve(&bench, STAFF, "checkouts", &id).await.expect(503).code(), "unavailable");
    assert_eq!((stuck(&bench, "checkouts").await.len(), bench.stock.left(LAST)), (1, 0));
    bench.gateway.loses_answers.store(false, SeqCst);
    let paid = resolve(&bench, STAFF, "checkouts", &id).await.expect(200);
    assert_eq!((&paid.json["status"], &paid.json["orders"][0]["status"]), (&json!("paid"), &json!("paid")));
    assert_eq!(resolve(&bench, STAFF, "checkouts", &id).await.expect(200).json, paid.json, "once");
    assert_eq!(stuck(&bench, "checkouts").await, Vec::<Value>::new());
    assert!(bench.order(BUYER, "k1", LAST, 1, card).await.expect(201).is_replay());
    let by = "SELECT count(*) FROM order_events WHERE type = 'order.paid' AND actor_id = 9";
    assert_eq!((bench.count(by).await, bench.gateway.sales.load(SeqCst)), (1, 1));
    bench.verify().await;
}

#[tokio::test]
async fn a_checkout_is_given_up_only_when_the_gateway_says_that_it_was_not_charged() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.gateway.loses_sales.store(true, SeqCst);
    bench.gateway.loses_answers.store(true, SeqCst);
    bench.order(BUYER, "k1", LAST, 1, card).await.expect(504);
    wear_out(&bench, "checkouts", "status").await;
    let id = stuck(&bench, "checkouts").await[0]["id"].clone();
    resolve(&bench, STAFF, "checkouts", &id).await.expect(503);
    bench.gateway.loses_answers.store(false, SeqCst);
    let failed = resolve(&bench, STAFF, "checkouts", &id).await.expect(200);
    assert_eq!((&failed.json["status"], &failed.json["orders"][0]["status"]), (&json!("failed"), &json!("failed")));
    bench.relay().await;
    assert_eq!(bench.stock.left(LAST), 1);
    bench.verify().await;
    // Closed at the gateway too: what was still on its way comes to nothing, and a new order is a new charge.
    bench.gateway.loses_sales.store(false, SeqCst);
    bench.order(BUYER, "k2", LAST, 1, card).await.expect(201);
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_sales WHERE state = 'captured'").await, 1);
    bench.verify().await;
}

#[tokio::test]
async fn many_at_once_settle_a_stuck_checkout_once() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.gateway.loses_answers.store(true, SeqCst);
    bench.order(BUYER, "k1", CUP, 1, card).await.expect(504);
    wear_out(&bench, "checkouts", "status").await;
    bench.gateway.loses_answers.store(false, SeqCst);
    let id = stuck(&bench, "checkouts").await[0]["id"].clone();
    bench.db.execute("UPDATE checkouts SET next_attempt_at = now()", &[]).await.unwrap();
    let (one, two, resumed, again) = tokio::join!(
        resolve(&bench, STAFF, "checkouts", &id),
        resolve(&bench, STAFF, "checkouts", &id),
        resume_checkouts(&bench.payments.shop, None),
        bench.order(BUYER, "k1", CUP, 1, card),
    );
    resumed.unwrap();
    assert_eq!((one.status, two.status), (200, 200), "{} {}", one.json, two.json);
    assert!(matches!(again.status, 201 | 409), "{}", again.json);
    assert_eq!(bench.count("SELECT count(*) FROM order_events WHERE type = 'order.paid'").await, 1);
    let unknown = json!(uuid::Uuid::now_v7());
    resolve(&bench, STAFF, "checkouts", &unknown).await.expect(404);
    resolve(&bench, STAFF, "refunds", &unknown).await.expect(404);
    bench.verify().await;
}

#[tokio::test]
async fn a_charge_of_another_gateway_waits_for_that_one() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.gateway.loses_answers.store(true, SeqCst);
    bench.order(BUYER, "k1", CUP, 1, card).await.expect(504);
    bench.db.execute("UPDATE charges SET gateway = 'stripe'", &[]).await.unwrap();
    wear_out(&bench, "checkouts", "status").await;
    bench.gateway.loses_answers.store(false, SeqCst);
    let found = stuck(&bench, "checkouts").await;
    assert_eq!(found[0]["gateway"], "stripe");
    assert_eq!(resolve(&bench, STAFF, "checkouts", &found[0]["id"]).await.expect(409).code(), "other_gateway");
    assert_eq!(stuck(&bench, "checkouts").await.len(), 1);
}

#[tokio::test]
async fn a_refund_whose_gateway_stays_silent_is_made_once_when_staff_look() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let order = bench.order(BUYER, "k1", CUP, 1, card).await.expect(201).id();
    bench.gateway.loses_answers.store(true, SeqCst);
    let body = json!({"amount": 300, "reason": "scratched"});
    let path = format!("/v1/orders/{order}/refunds");
    bench.post(STAFF, &path, "r1", body.clone()).await.expect(504);
    wear_out(&bench, "refunds", "state").await;
    let found = stuck(&bench, "refunds").await;
    assert_eq!((found.len(), &found[0]["status"], &found[0]["amount"]), (1, &json!("pending"), &json!(300)));
    let id = found[0]["id"].clone();
    resolve(&bench, BUYER, "refunds", &id).await.expect(403);
    resolve(&bench, STAFF, "refunds", &id).await.expect(503);
    bench.gateway.loses_answers.store(false, SeqCst);
    let made = resolve(&bench, STAFF, "refunds", &id).await.expect(200);
    assert_eq!((&made.json["status"], &made.json["needs_attention_since"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(resolve(&bench, STAFF, "refunds", &id).await.expect(409).code(), "nothing_to_resolve");
    assert!(bench.post(STAFF, &path, "r1", body).await.expect(201).is_replay());
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_refunds").await, 1);
    bench.verify().await;
}

#[tokio::test]
async fn a_cancelled_order_whose_money_is_refused_stays_on_the_list_until_staff_have_seen_to_it() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let order = bench.order(BUYER, "k1", TEA, 1, card).await.expect(201).id();
    bench.gateway.refuses_refunds.store(true, SeqCst);
    let cancel = format!("/v1/orders/{order}/cancel");
    bench.send(bench.request(BUYER, "POST", &cancel, None, &Value::Null)).await.expect(200);
    let found = stuck(&bench, "refunds").await;
    assert_eq!(
        (&found[0]["status"], &found[0]["kind"], &found[0]["failure"]),
        (&json!("failed"), &json!("cancel"), &json!("no"))
    );
    let seen = resolve(&bench, STAFF, "refunds", &found[0]["id"]).await.expect(200);
    assert_eq!((&seen.json["status"], &seen.json["needs_attention_since"]), (&json!("failed"), &Value::Null));
    assert_eq!(stuck(&bench, "refunds").await, Vec::<Value>::new());
}
