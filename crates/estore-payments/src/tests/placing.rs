//! Placing orders.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use estore_kit::db::Db;
use serde_json::{Value, json};

use super::bench::{BUYER, Bench, CUP, Got, LAST, OTHER, STAFF, TEA, UNVERIFIED};
use crate::limits::CHECKOUTS_UNDER_WAY_MAX;

#[tokio::test]
async fn an_order_is_placed_paid_and_read() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let placed = bench.order(BUYER, "k1", TEA, 3, card).await.expect(201);
    assert_eq!((&placed.json["status"], &placed.json["total_amount"]), (&json!("paid"), &json!(750)));
    let read = bench.get(BUYER, &format!("/v1/orders/{}", placed.id())).await.expect(200);
    assert_eq!(read.json, placed.json);
    let tag = read.headers["etag"].to_str().unwrap();
    let mut again = bench.request(BUYER, "GET", &format!("/v1/orders/{}", placed.id()), None, &Value::Null);
    again.headers_mut().insert("if-none-match", tag.parse().unwrap());
    assert_eq!(bench.send(again).await.status, 304);
    bench.get(OTHER, &format!("/v1/orders/{}", placed.id())).await.expect(404);
    bench.get(OTHER, &format!("/v1/orders/{}/events", placed.id())).await.expect(404);
    bench.get(STAFF, &format!("/v1/orders/{}", placed.id())).await.expect(200);
    let events = bench.get(BUYER, &format!("/v1/orders/{}/events", placed.id())).await.expect(200);
    let kinds: Vec<_> = events.json["data"].as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
    assert_eq!(kinds, ["order.created", "order.paid"]);
    assert_eq!(bench.stock.holds("open"), 1);
    bench.relay().await;
    assert_eq!(bench.stock.holds("sold"), 1);
    bench.verify().await;
}

#[tokio::test]
async fn a_checkout_groups_its_lines_and_merges_equal_products() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let lines = json!([{"product_id": CUP, "quantity": 1}, {"product_id": TEA, "quantity": 2},
                       {"product_id": CUP, "quantity": 4}]);
    let body = json!({"lines": lines, "payment_method_id": card, "metadata": {"gift": true}});
    let placed = bench.post(BUYER, "/v1/checkouts", "k1", body).await.expect(201);
    assert_eq!(placed.json["total_amount"], 5_500);
    assert_eq!(placed.json["metadata"], json!({"gift": true}));
    let quantities: Vec<_> =
        placed.json["orders"].as_array().unwrap().iter().map(|o| o["quantity"].as_i64().unwrap()).collect();
    assert_eq!(quantities.iter().sum::<i64>(), 7);
    let path = format!("/v1/checkouts/{}", placed.json["id"].as_str().unwrap());
    let read = bench.get(BUYER, &path).await.expect(200);
    assert_eq!(read.json, placed.json);
    bench.get(OTHER, &path).await.expect(404);
    let all = bench.get(STAFF, "/v1/orders?limit=1").await.expect(200);
    let next = all.json["next_cursor"].as_str().unwrap();
    let rest = bench.get(STAFF, &format!("/v1/orders?limit=1&cursor={next}&user_id={BUYER}&status=paid")).await;
    assert_eq!(rest.expect(200).json["next_cursor"], Value::Null);
    let none = bench.get(OTHER, "/v1/orders").await.expect(200);
    assert_eq!(none.json["data"], json!([]));
    bench.get(OTHER, &format!("/v1/orders?user_id={BUYER}")).await.expect(403);
    bench.verify().await;
}

#[tokio::test]
async fn a_finished_request_is_replayed_byte_for_byte() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let first = bench.order(BUYER, "k1", TEA, 3, card).await.expect(201);
    assert!(!first.is_replay());
    let again = bench.order(BUYER, "k1", TEA, 3, card).await.expect(201);
    assert_eq!((again.bytes.clone(), again.is_replay()), (first.bytes.clone(), true));
    assert_eq!(bench.order(BUYER, "k1", TEA, 4, card).await.expect(422).code(), "idempotency_key_reused");
    let lines = json!({"lines": [{"product_id": TEA, "quantity": 3}], "payment_method_id": card});
    let other_route = bench.post(BUYER, "/v1/checkouts", "k1", lines).await.expect(422);
    assert_eq!(other_route.code(), "idempotency_key_reused");
    let others = bench.card(OTHER, "4242424242424242").await;
    bench.order(OTHER, "k1", TEA, 3, others).await.expect(201);
    assert_eq!(bench.count("SELECT count(*) FROM orders").await, 2);
    bench.verify().await;
}

#[tokio::test]
async fn one_key_sent_a_hundred_times_at_once_is_one_order_and_one_charge() {
    let bench = Arc::new(Bench::start().await);
    let card = bench.card(BUYER, "4242424242424242").await;
    let sends = (0..100).map(|_| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.order(BUYER, "one", TEA, 2, card).await })
    });
    let mut bodies = HashSet::new();
    for send in sends.collect::<Vec<_>>() {
        let got = send.await.unwrap();
        match got.status {
            201 => drop(bodies.insert(got.bytes)),
            409 => {
                assert_eq!((got.code(), &got.headers["retry-after"]), ("request_in_progress", &"1".parse().unwrap()))
            }
            other => panic!("{other}: {}", got.json),
        }
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(bench.gateway.sales.load(SeqCst), 1);
    assert_eq!(bench.count("SELECT count(*) FROM orders").await, 1);
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_sales").await, 1);
    assert_eq!(bench.stock.left(TEA), 100_000 - 2);
    bench.verify().await;
}

#[tokio::test]
async fn many_buyers_share_batches_and_each_gets_an_order_of_their_own() {
    let bench = Arc::new(Bench::start().await);
    let card = bench.card(BUYER, "4242424242424242").await;
    let sends = (1..=200).map(|n| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.order(BUYER, &format!("key-{n}"), TEA, n, card).await })
    });
    let mut ids = HashSet::new();
    for (n, send) in sends.collect::<Vec<_>>().into_iter().enumerate() {
        let got = send.await.unwrap().expect(201);
        assert_eq!(got.json["quantity"], n + 1, "an answer of another's");
        ids.insert(got.id());
    }
    assert_eq!(ids.len(), 200);
    bench.relay().await;
    assert_eq!(bench.stock.holds("sold"), 200);
    bench.verify().await;
}

#[tokio::test]
async fn the_last_unit_is_sold_once() {
    let bench = Arc::new(Bench::start().await);
    let card = bench.card(BUYER, "4242424242424242").await;
    let sends = (0..50).map(|n| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.order(BUYER, &format!("key-{n}"), LAST, 1, card).await })
    });
    let mut sold = 0;
    for send in sends.collect::<Vec<_>>() {
        let got = send.await.unwrap();
        match got.status {
            201 => sold += 1,
            _ => assert_eq!(got.expect(409).json["errors"][0]["pointer"], "/quantity"),
        }
    }
    assert_eq!(sold, 1);
    bench.verify().await;
}

#[tokio::test]
async fn a_declined_card_fails_the_order_and_gives_the_stock_back() {
    let bench = Bench::start().await;
    for (n, (number, code)) in
        [("4000000000000002", "card_declined"), ("4000000000009995", "insufficient_funds")].into_iter().enumerate()
    {
        let card = bench.card(BUYER, number).await;
        let key = format!("k{n}");
        let declined = bench.order(BUYER, &key, LAST, 1, card).await.expect(402);
        assert_eq!(declined.code(), code);
        let again = bench.order(BUYER, &key, LAST, 1, card).await.expect(402);
        assert_eq!((again.bytes.clone(), again.is_replay()), (declined.bytes.clone(), true));
        bench.relay().await;
        assert_eq!((bench.stock.left(LAST), bench.stock.holds("released")), (1, n + 1));
    }
    assert_eq!(bench.count("SELECT count(*) FROM orders WHERE status = 'failed'").await, 2);
    assert_eq!(bench.count("SELECT count(*) FROM ledger_entries").await, 0);
    bench.verify().await;
}

#[tokio::test]
async fn a_charge_without_an_answer_is_looked_up_and_never_guessed() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4000000000000119").await;
    let (mut made, mut not_made) = (0, 0);
    for n in 0..24 {
        let got = bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await;
        match got.status {
            201 => made += 1,
            _ => {
                assert_eq!(got.expect(503).code(), "charge_cut_off");
                not_made += 1;
            }
        }
    }
    assert!(made > 0 && not_made > 0, "{made} made, {not_made} not");
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_sales WHERE state = 'captured'").await, made);
    bench.relay().await;
    assert_eq!(i64::from(bench.stock.left(TEA)), 100_000 - made);
    bench.verify().await;
}

#[tokio::test]
async fn more_than_the_shop_can_do_is_sent_away_at_once() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let everybody = u32::try_from(CHECKOUTS_UNDER_WAY_MAX).unwrap();
    let places = bench.payments.shop.places.acquire_many(everybody).await.unwrap();
    assert_eq!(bench.order(BUYER, "k", TEA, 1, card).await.expect(503).code(), "unavailable");
    assert_nothing_left(&bench).await;
    drop(places);
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
}

async fn assert_nothing_left(bench: &Bench) {
    assert_eq!(bench.count("SELECT count(*) FROM checkouts").await, 0);
    assert_eq!(bench.stock.holds("open"), 0);
    assert_eq!(bench.gateway.sales.load(SeqCst), 0);
}

fn fault(got: &Got) -> (&str, &str) {
    (got.json["errors"][0]["pointer"].as_str().unwrap(), got.json["errors"][0]["code"].as_str().unwrap())
}

#[tokio::test]
async fn bad_input_is_named_and_leaves_nothing() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let foreign = bench.card(OTHER, "4242424242424242").await;
    for (product, quantity, method, expected) in [
        (99, 1, card, ("/product_id", "unknown_product")),
        (TEA, 0, card, ("/quantity", "out_of_range")),
        (TEA, -1, card, ("/quantity", "out_of_range")),
        (TEA, 1, foreign, ("/payment_method_id", "unknown_payment_method")),
        (TEA, 1, 4_711, ("/payment_method_id", "unknown_payment_method")),
    ] {
        let got =
            bench.order(BUYER, &format!("{product}{quantity}{method}"), product, quantity, method).await.expect(422);
        assert_eq!(fault(&got), expected);
    }
    bench.stock.state.lock().unwrap().products.insert(TEA, (250, i32::MAX));
    let got = bench.order(BUYER, "overflow", TEA, i32::MAX, card).await.expect(422);
    assert_eq!(fault(&got), ("/quantity", "total_out_of_range"));
    let lines: Vec<Value> = (1..=2_001).map(|n| json!({"product_id": n, "quantity": 1})).collect();
    let got = bench.post(BUYER, "/v1/checkouts", "many", json!({"lines": lines, "payment_method_id": card})).await;
    assert_eq!(fault(&got.expect(422)), ("/lines", "length"));
    let lines = json!([{"product_id": TEA, "quantity": 1}, {"product_id": LAST, "quantity": 2}]);
    let got = bench.post(BUYER, "/v1/checkouts", "short", json!({"lines": lines, "payment_method_id": card})).await;
    assert_eq!(fault(&got.expect(409)), ("/lines/1/quantity", "out_of_stock"));
    let body =
        json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": {"x": "y".repeat(17_000)}});
    assert_eq!(fault(&bench.post(BUYER, "/v1/orders", "meta", body).await.expect(422)), ("/metadata", "too_large"));
    assert_nothing_left(&bench).await;
}

#[tokio::test]
async fn keys_are_required_and_the_address_must_be_verified() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let body = json!({"product_id": TEA, "quantity": 1, "payment_method_id": card});
    let without = bench.send(bench.request(BUYER, "POST", "/v1/orders", None, &body)).await.expect(400);
    assert_eq!(without.code(), "idempotency_key_missing");
    for key in ["a b".to_owned(), "k".repeat(256)] {
        assert_eq!(
            bench.post(BUYER, "/v1/orders", &key, body.clone()).await.expect(400).code(),
            "idempotency_key_invalid"
        );
    }
    assert_eq!(bench.post(UNVERIFIED, "/v1/orders", "k", body).await.expect(403).code(), "email_not_verified");
    assert_nothing_left(&bench).await;
}

#[tokio::test]
async fn two_thousand_lines_are_one_checkout() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.stock.state.lock().unwrap().products.extend((1_000..3_000).map(|n| (n, (n, 10))));
    let lines: Vec<Value> = (1_000..3_000).map(|n| json!({"product_id": n, "quantity": 2})).collect();
    let body = json!({"lines": lines, "payment_method_id": card});
    let placed = bench.post(BUYER, "/v1/checkouts", "big", body).await.expect(201);
    assert_eq!(placed.json["total_amount"], (1_000..3_000).sum::<i64>() * 2);
    assert_eq!(bench.count("SELECT count(*) FROM orders WHERE status = 'paid'").await, 2_000);
    bench.verify().await;
}

/// Statements that the service has sent to its database so far; `None` where the server does not count them.
async fn statements(bench: &Bench) -> Option<i64> {
    let admin = Db::new(bench.database.admin_config(), 1).unwrap();
    let counted = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
                   JOIN pg_roles r ON r.oid = s.userid WHERE d.datname = current_database() AND r.rolname ~ '_(app|writer)$'";
    let rows = admin.rows(counted, &[]).await;
    rows.ok().map(|rows| rows[0].get(0))
}

#[tokio::test]
async fn the_number_of_statements_does_not_grow_with_the_lines() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.stock.state.lock().unwrap().products.extend((1_000..3_000).map(|n| (n, (n, 10))));
    let mut counts = Vec::new();
    for lines in [1, 2_000] {
        let lines: Vec<Value> = (1_000..1_000 + lines).map(|n| json!({"product_id": n, "quantity": 1})).collect();
        let Some(before) = statements(&bench).await else { return };
        let body = json!({"lines": lines, "payment_method_id": card});
        bench.post(BUYER, "/v1/checkouts", &format!("lines-{}", lines.len()), body).await.expect(201);
        counts.push(statements(&bench).await.unwrap() - before);
    }
    // Key and method; the checkout; token and sale; the settlement.
    assert_eq!(counts, [6, 6]);
}
