//! Charges that wait for the buyer, whose bank wants to see them.

use serde_json::{Value, json};

use super::{StripeShop, WANTS_BUYER};
use crate::operations::resume_checkouts::resume_checkouts;
use crate::service::now;
use crate::tests::bench::{BUYER, LAST, OTHER};

#[tokio::test]
async fn a_buyer_whose_bank_wants_to_see_them_is_told_how_and_then_has_the_order() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(WANTS_BUYER).await;
    let needed = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(202);
    assert_eq!((&needed.json["status"], &needed.json["action"]["type"]), (&json!("requires_action"), &json!("stripe")));
    assert_eq!(needed.json["action"]["next_action"]["type"], "use_stripe_sdk");
    // The answer was lost: the same is answered again, and nothing is charged meanwhile.
    let again = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(202);
    assert_eq!(again.bytes, needed.bytes);
    assert_eq!(shop.peer.list("charges").await.len(), 0);
    // Neither a restart nor a quick resumer gives it up while the buyer is at it.
    resume_checkouts(&shop.bench.payments.shop, Some(now())).await.unwrap();
    shop.peer.authenticate(&needed.json["action"], true).await;
    let placed = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(201);
    assert_eq!(placed.json["status"], "paid");
    let replayed = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(201);
    assert_eq!((replayed.is_replay(), replayed.bytes), (true, placed.bytes));
    shop.verify().await;
}

#[tokio::test]
async fn a_buyer_who_fails_the_bank_or_never_comes_gives_the_stock_back() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(WANTS_BUYER).await;
    let needed = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(202);
    shop.peer.authenticate(&needed.json["action"], false).await;
    let refused = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(402);
    assert_eq!(refused.code(), "authentication_failed");
    shop.bench.relay().await;
    assert_eq!(shop.bench.stock.left(LAST), 1);
    let late = shop.bench.order(BUYER, "k2", LAST, 1, card).await.expect(202);
    assert_eq!(
        shop.bench.order(OTHER, "k3", LAST, 1, card).await.expect(422).json["errors"][0]["code"],
        "unknown_payment_method"
    );
    shop.bench.db.execute("UPDATE checkouts SET next_attempt_at = now() WHERE status = 'pending'", &[]).await.unwrap();
    resume_checkouts(&shop.bench.payments.shop, None).await.unwrap();
    assert_eq!(shop.bench.order(BUYER, "k2", LAST, 1, card).await.expect(402).code(), "charge_not_made");
    shop.bench.relay().await;
    assert_eq!(shop.bench.stock.left(LAST), 1);
    // Too late now, at the bank as well.
    let intents = shop.peer.list("payment_intents").await;
    assert!(intents.iter().all(|intent| intent["status"] == "canceled"), "{late:?}");
    shop.verify().await;
}

#[tokio::test]
async fn a_buyer_may_give_up_at_the_bank() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(WANTS_BUYER).await;
    shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(202);
    let order = shop.bench.get(BUYER, "/v1/orders").await.expect(200).json["data"][0]["id"].as_i64().unwrap();
    let cancel = shop.bench.request(BUYER, "POST", &format!("/v1/orders/{order}/cancel"), None, &Value::Null);
    assert_eq!(shop.bench.send(cancel).await.expect(200).json["status"], "cancelled");
    assert_eq!(shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(402).code(), "charge_not_made");
    shop.bench.relay().await;
    assert_eq!(shop.bench.stock.left(LAST), 1);
    shop.verify().await;
}
