//! What is written down of payment methods, receivers and what staff see to; and that an order writes nothing here.

use std::sync::atomic::Ordering::SeqCst;

use estore_kit::request;
use serde_json::{Value, json};

use super::bench::{ADMIN, BUYER, Bench, Got, STAFF, TEA};

/// What was written of a table: who, operation, before, after.
async fn written(bench: &Bench, table: &str) -> Vec<(Option<i32>, String, Value, Value)> {
    let sql = "SELECT user_id, operation, coalesce(before, 'null'), coalesce(after, 'null') FROM audit_log
               WHERE table_name = $1 ORDER BY id";
    let rows = bench.db.rows(sql, &[&table]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

/// A request with an id, as the edge has it.
async fn ask(bench: &Bench, user: i32, what: (&str, &str), body: Value) -> Got {
    let (method, path) = what;
    request::within("the-request".to_owned(), bench.send(bench.request(user, method, path, None, &body))).await
}

#[tokio::test]
async fn cards_are_written_without_what_stands_for_them() {
    let bench = Bench::start().await;
    let details = json!({"card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2040, "cvc": "123"});
    let card = ask(&bench, BUYER, ("POST", "/v1/payment-methods"), json!({"payment_type": "card", "details": details}));
    let card = card.await.expect(201).id();
    ask(&bench, BUYER, ("DELETE", &format!("/v1/payment-methods/{card}")), Value::Null).await.expect(204);
    let written = written(&bench, "payment_methods").await;
    assert_eq!((written[0].0, written[0].1.as_str()), (Some(BUYER), "insert"));
    for hidden in ["details", "gateway_token", "fingerprint"] {
        assert_eq!(written[0].3[hidden], "***");
    }
    assert_eq!(
        written[1..],
        [(Some(BUYER), "update".to_owned(), json!({"is_active": true}), json!({"is_active": false}))]
    );
}

#[tokio::test]
async fn receivers_of_events_are_written_with_who_changed_them() {
    let bench = super::webhooks::bench(&[1]).await;
    let body = json!({"url": "http://127.0.0.1:9/hook", "events": ["all"]});
    let made = ask(&bench, ADMIN, ("POST", "/v1/webhook-endpoints"), body).await.expect(201);
    let path = format!("/v1/webhook-endpoints/{}", made.json["id"].as_str().unwrap());
    ask(&bench, ADMIN, ("PATCH", &path), json!({"url": "http://127.0.0.1:9/other"})).await.expect(200);
    ask(&bench, ADMIN, ("POST", &format!("{path}/rotate-secret")), Value::Null).await.expect(200);
    ask(&bench, ADMIN, ("DELETE", &path), Value::Null).await.expect(204);
    let written = written(&bench, "webhook_endpoints").await;
    assert!(written.iter().all(|(user, ..)| *user == Some(ADMIN)), "{written:?}");
    assert_eq!(written[1].2, json!({"url": "http://127.0.0.1:9/hook"}));
    assert_eq!(written[2].3["secret_version"], 2);
    assert_eq!((written.len(), &written[3].3["is_active"]), (4, &json!(false)));
    assert!(!format!("{written:?}").contains(made.json["secret"].as_str().unwrap()));
}

#[tokio::test]
async fn an_order_writes_nothing_here() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let before = bench.count("SELECT count(*) FROM audit_log").await;
    let order = bench.order(BUYER, "k", TEA, 1, card).await.expect(201).id();
    let status = json!({"status": "processing"});
    let path = format!("/v1/orders/{order}/status");
    bench.send(bench.request(STAFF, "PUT", &path, None, &status)).await.expect(200);
    bench.relay().await;
    assert_eq!(bench.count("SELECT count(*) FROM audit_log").await, before);
    let ours = "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^audit_(insert|update|delete|truncate)$'
        AND tgrelid NOT IN ('payment_methods'::regclass, 'disputes'::regclass, 'webhook_endpoints'::regclass)";
    assert_eq!(bench.count(ours).await, 0);
}

#[tokio::test]
async fn staff_who_see_to_a_refund_are_named() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let order = bench.order(BUYER, "k", TEA, 1, card).await.expect(201).id();
    bench.gateway.refuses_refunds.store(true, SeqCst);
    let cancel = format!("/v1/orders/{order}/cancel");
    bench.send(bench.request(BUYER, "POST", &cancel, None, &Value::Null)).await.expect(200);
    let id: String = bench
        .db
        .row("SELECT id::text FROM refunds WHERE needs_attention_since IS NOT NULL", &[])
        .await
        .unwrap()
        .unwrap()
        .get(0);
    let path = format!("/v1/refunds/{id}/resolve");
    ask(&bench, STAFF, ("POST", &path), Value::Null).await.expect(200);
    let written = written(&bench, "refunds").await;
    assert_eq!((written.len(), written[0].0, written[0].1.as_str()), (1, Some(STAFF), "resolve"));
    assert!(written[0].2["needs_attention_since"].is_string());
}
