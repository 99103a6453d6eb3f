//! Money that is only reserved, until staff take it or it is let go.

use serde_json::{Value, json};

use super::peer::Fault;
use super::{GOOD, StripeShop};
use crate::gateway::stripe::config::{Capture, StripeConfig};
use crate::operations::resume_checkouts::resume_checkouts;
use crate::service::now;
use crate::tests::bench::{BUYER, CUP, Got, LAST, STAFF};

async fn set_paid(shop: &StripeShop, user: i32, order: i64) -> Got {
    let path = format!("/v1/orders/{order}/status");
    shop.bench.send(shop.bench.request(user, "PUT", &path, None, &json!({"status": "paid"}))).await
}

#[tokio::test]
async fn reserved_money_is_taken_when_staff_say_so() {
    let manual = StripeConfig { capture: Capture::Manual, ..StripeConfig::default() };
    let Some(shop) = StripeShop::start_with(manual).await else { return };
    let card = shop.card(GOOD).await;
    let placed = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201);
    assert_eq!(placed.json["status"], "pending");
    resume_checkouts(&shop.bench.payments.shop, Some(now())).await.unwrap();
    assert_eq!(shop.peer.balance().await, 0);
    shop.verify().await;
    set_paid(&shop, BUYER, placed.id()).await.expect(403);
    // The money is taken and the answer lost: asked again, it is taken no second time.
    shop.line.fail("/capture", Fault::LoseAnswer, 1);
    set_paid(&shop, STAFF, placed.id()).await.expect(503);
    assert_eq!(set_paid(&shop, STAFF, placed.id()).await.expect(200).json["status"], "paid");
    assert_eq!(shop.peer.balance().await, 1_000);
    assert_eq!(set_paid(&shop, STAFF, placed.id()).await.expect(409).code(), "illegal_transition");
    assert!(shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201).is_replay());
    shop.refund(placed.id(), "r1", 400).await.expect(201);
    shop.verify().await;
}

#[tokio::test]
async fn reserved_money_is_let_go_with_the_order() {
    let manual = StripeConfig { capture: Capture::Manual, ..StripeConfig::default() };
    let Some(shop) = StripeShop::start_with(manual).await else { return };
    let card = shop.card(GOOD).await;
    let order = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(201).id();
    let cancel = shop.bench.request(BUYER, "POST", &format!("/v1/orders/{order}/cancel"), None, &Value::Null);
    assert_eq!(shop.bench.send(cancel).await.expect(200).json["status"], "cancelled");
    assert_eq!(set_paid(&shop, STAFF, order).await.expect(409).code(), "illegal_transition");
    shop.bench.relay().await;
    assert_eq!(shop.bench.stock.left(LAST), 1);
    // The bank lets go by itself.
    let order = shop.bench.order(BUYER, "k2", LAST, 1, card).await.expect(201).id();
    for intent in shop.peer.list("payment_intents").await {
        if intent["status"] == "requires_capture" {
            shop.peer.post(&format!("/v1/payment_intents/{}/cancel", intent["id"].as_str().unwrap()), &json!({})).await;
        }
    }
    assert_eq!(set_paid(&shop, STAFF, order).await.expect(402).code(), "payment_lapsed");
    shop.bench.relay().await;
    assert_eq!(shop.bench.stock.left(LAST), 1);
    assert_eq!(shop.peer.balance().await, 0);
    shop.verify().await;
}
