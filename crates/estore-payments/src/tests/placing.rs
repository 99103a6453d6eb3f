//! Placing orders.

use serde_json::json;

use super::bench::{BUYER, Bench, OTHER, STAFF, TEA};

#[tokio::test]
async fn an_order_is_placed_paid_and_read() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let placed = bench.order(BUYER, "k1", TEA, 3, card).await.expect(201);
    assert_eq!((&placed.json["status"], &placed.json["total_amount"]), (&json!("paid"), &json!(750)));
    let read = bench.get(BUYER, &format!("/v1/orders/{}", placed.id())).await.expect(200);
    assert_eq!(read.json, placed.json);
    assert!(read.headers.contains_key("etag"));
    bench.get(OTHER, &format!("/v1/orders/{}", placed.id())).await.expect(404);
    bench.get(STAFF, &format!("/v1/orders/{}", placed.id())).await.expect(200);
    let events = bench.get(BUYER, &format!("/v1/orders/{}/events", placed.id())).await.expect(200);
    let kinds: Vec<_> = events.json["data"].as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
    assert_eq!(kinds, ["order.created", "order.paid"]);
    assert_eq!(bench.stock.holds("open"), 1);
    bench.relay().await;
    assert_eq!(bench.stock.holds("sold"), 1);
    bench.verify().await;
}
