//! Money at Stripe beside charges: disputes, refunds that look alike, currencies without hundredths, cards nobody wants.

use serde_json::{Value, json};

use super::events::signed;
use super::peer::Fault;
use super::{GOOD, StripeShop, WANTS_BUYER};
use crate::gateway::stripe::config::StripeConfig;
use crate::operations::erase_customers::erase_customers;
use crate::operations::forget_cards::forget_cards;
use crate::service::now;
use crate::tests::bench::{BUYER, CUP, Got, OTHER, STAFF, TEA};
use crate::tests::events::erased;

/// What Stripe posts of a dispute; localstripe has none, so its form is Stripe's documentation's.
fn dispute(event: &str, intent: &str, id: &str, (status, amount): (&str, i64)) -> (String, String) {
    let kind = if status == "needs_response" { "created" } else { "closed" };
    let object = json!({"object": "dispute", "id": id, "amount": amount, "currency": "usd", "charge": "ch_1",
        "created": 1_800_000_000, "payment_intent": intent, "reason": "product_not_received", "status": status,
        "metadata": {}});
    let event = json!({"id": event, "type": format!("charge.dispute.{kind}"), "created": 1_800_000_001,
        "data": {"object": object}});
    signed(&event, now().as_second())
}

impl StripeShop {
    async fn tell(&self, (body, signature): (String, String)) -> Got {
        self.event(&body, &signature).await
    }

    async fn intent(&self, checkout: &Value) -> String {
        let intents = self.peer.list("payment_intents").await;
        let of = intents.iter().find(|intent| intent["metadata"]["estore_checkout"] == *checkout);
        of.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn history(&self, order: i64) -> Vec<String> {
        let got = self.bench.get(STAFF, &format!("/v1/orders/{order}/events")).await.expect(200);
        got.json["data"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn disputes(&self, query: &str) -> Vec<Value> {
        let got = self.bench.get(STAFF, &format!("/v1/disputes{query}")).await.expect(200);
        got.json["data"].as_array().unwrap().clone()
    }
}

const LOST: &str = "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entries WHERE account = 'disputes'";

#[tokio::test]
async fn a_dispute_is_in_the_orders_history_and_booked_once_where_it_is_lost() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let lines = json!([{"product_id": TEA, "quantity": 2}, {"product_id": CUP, "quantity": 1}]);
    let body = json!({"lines": lines, "payment_method_id": card});
    let bought = shop.bench.post(BUYER, "/v1/checkouts", "k1", body).await.expect(201);
    let intent = shop.intent(&bought.json["id"]).await;
    let orders: Vec<i64> =
        bought.json["orders"].as_array().unwrap().iter().map(|o| o["id"].as_i64().unwrap()).collect();
    for event in ["evt_1", "evt_1", "evt_2"] {
        shop.tell(dispute(event, &intent, "dp_1", ("needs_response", 1_500))).await.expect(200);
    }
    for order in &orders {
        assert_eq!(shop.history(*order).await, ["order.created", "order.paid", "order.disputed"]);
    }
    let open = shop.disputes("?state=open").await;
    assert_eq!((open.len(), &open[0]["amount"], &open[0]["gateway_reference"]), (1, &json!(1_500), &json!("dp_1")));
    assert_eq!(open[0]["checkout_id"], bought.json["id"]);
    shop.bench.get(BUYER, "/v1/disputes").await.expect(403);
    assert_eq!(shop.bench.count(LOST).await, 0);
    // The end comes twice at once, and the beginning once more behind it.
    let (one, two) = tokio::join!(
        shop.tell(dispute("evt_3", &intent, "dp_1", ("lost", 1_500))),
        shop.tell(dispute("evt_4", &intent, "dp_1", ("lost", 1_500))),
    );
    assert_eq!((one.status, two.status), (200, 200));
    shop.tell(dispute("evt_5", &intent, "dp_1", ("needs_response", 1_500))).await.expect(200);
    for order in &orders {
        let history = shop.history(*order).await;
        assert_eq!(history, ["order.created", "order.paid", "order.disputed", "order.dispute_lost"]);
    }
    assert_eq!(shop.bench.count(LOST).await, 1_500);
    assert_eq!(shop.disputes("?state=open").await, Vec::<Value>::new());
    let lost = shop.disputes("").await;
    assert_eq!((lost.len(), &lost[0]["state"]), (1, &json!("lost")));
    shop.bench.verify().await;
}

#[tokio::test]
async fn a_dispute_that_is_won_or_comes_out_of_order_costs_nothing_and_foreign_ones_are_not_ours() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let placed = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201);
    let intent = shop.intent(&placed.json["checkout_id"]).await;
    shop.tell(dispute("evt_1", &intent, "dp_1", ("won", 1_000))).await.expect(200);
    shop.tell(dispute("evt_2", &intent, "dp_1", ("needs_response", 1_000))).await.expect(200);
    shop.tell(dispute("evt_3", &intent, "dp_1", ("lost", 1_000))).await.expect(200);
    assert_eq!(shop.history(placed.id()).await, ["order.created", "order.paid", "order.dispute_won"]);
    shop.tell(dispute("evt_4", "pi_foreign", "dp_2", ("lost", 1_000))).await.expect(200);
    assert_eq!((shop.bench.count(LOST).await, shop.disputes("").await.len()), (0, 1));
    // One that can only be half read is sent again by Stripe, and seen in its own list of failures.
    let nonsense = json!({"id": "evt_5", "type": "charge.dispute.closed", "created": 1_800_000_001,
        "data": {"object": {"payment_intent": intent, "status": "lost"}}});
    assert_eq!(shop.tell(signed(&nonsense, now().as_second())).await.expect(400).code(), "invalid_event");
    // A charge whose own event has not come yet is settled first.
    let needed = shop.bench.order(BUYER, "k2", CUP, 1, shop.card(WANTS_BUYER).await).await.expect(202);
    shop.peer.authenticate(&needed.json["action"], true).await;
    let intent = shop.intent(&needed.json["checkout_id"]).await;
    shop.tell(dispute("evt_6", &intent, "dp_3", ("needs_response", 1_000))).await.expect(200);
    let order = shop.bench.get(BUYER, "/v1/orders").await.expect(200).json["data"][0]["id"].as_i64().unwrap();
    assert_eq!(shop.history(order).await, ["order.created", "order.paid", "order.disputed"]);
    shop.verify().await;
}

#[tokio::test]
async fn two_equal_refunds_at_one_instant_are_two() {
    let Some(shop) = StripeShop::start().await else { return };
    shop.line.repeat_answers().await;
    let card = shop.card(GOOD).await;
    let order = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201).id();
    let (one, two) = tokio::join!(shop.refund(order, "r1", 300), shop.refund(order, "r2", 300));
    assert_eq!((one.status, two.status), (201, 201), "{} {}", one.json, two.json);
    assert_ne!(one.json["id"], two.json["id"]);
    assert_eq!(shop.peer.list("refunds").await.len(), 2);
    assert_eq!(shop.peer.balance().await, 400);
    shop.verify().await;
}

#[tokio::test]
async fn a_currency_without_hundredths_is_charged_in_whole_units() {
    for (currency, taken, refunded) in [("JPY", 20, 5), ("ISK", 2_000, 500), ("KWD", 20_000, 5_000)] {
        let Some(shop) = StripeShop::start_in(currency, StripeConfig::default()).await else { return };
        let card = shop.card(GOOD).await;
        let order = shop.bench.order(BUYER, "k1", CUP, 2, card).await.expect(201);
        assert_eq!((&order.json["total_amount"], &order.json["currency"]), (&json!(2_000), &json!(currency)));
        let charges = shop.peer.list("charges").await;
        assert_eq!((&charges[0]["amount"], charges.len()), (&json!(taken), 1), "{currency}");
        shop.refund(order.id(), "r1", 500).await.expect(201);
        assert_eq!(shop.peer.list("refunds").await[0]["amount"], refunded, "{currency}");
        if currency != "KWD" {
            assert_eq!(shop.refund(order.id(), "r2", 50).await.expect(402).code(), "refund_refused");
            // 2.50 is no amount of yen.
            let refused = shop.bench.order(BUYER, "k2", TEA, 1, card).await.expect(402);
            assert_eq!(refused.code(), "amount_not_possible");
            assert_eq!(shop.bench.order(BUYER, "k2", TEA, 1, card).await.expect(402).bytes, refused.bytes);
            shop.bench.relay().await;
            assert_eq!(shop.bench.stock.left(TEA), 100_000);
            // 5.00 as a whole, but neither of its lines could go back by itself.
            shop.bench.stock.state.lock().unwrap().products.insert(CUP, (750, 10));
            let lines = json!([{"product_id": TEA, "quantity": 1}, {"product_id": CUP, "quantity": 1}]);
            let body = json!({"lines": lines, "payment_method_id": card});
            let refused = shop.bench.post(BUYER, "/v1/checkouts", "k3", body).await.expect(402);
            assert_eq!(refused.code(), "amount_not_possible");
            assert_eq!((shop.bench.stock.left(TEA), shop.bench.stock.left(CUP)), (100_000, 10));
        }
        assert_eq!(shop.peer.list("charges").await.len(), 1);
        shop.bench.verify().await;
    }
}

#[tokio::test]
async fn what_costs_nothing_is_paid_without_a_word_to_stripe_however_often() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    shop.bench.stock.state.lock().unwrap().products.insert(CUP, (0, 10));
    for key in ["k1", "k2"] {
        let order = shop.bench.order(BUYER, key, CUP, 1, card).await.expect(201);
        assert_eq!((&order.json["status"], &order.json["total_amount"]), (&json!("paid"), &json!(0)));
    }
    assert_eq!(shop.peer.list("payment_intents").await.len(), 0);
    shop.bench.relay().await;
    shop.bench.verify().await;
}

async fn remove(shop: &StripeShop, user: i32, method: i64) -> Got {
    let path = format!("/v1/payment-methods/{method}");
    shop.bench.send(shop.bench.request(user, "DELETE", &path, None, &Value::Null)).await
}

#[tokio::test]
async fn a_card_that_is_taken_off_is_taken_off_at_stripe_too() {
    let Some(shop) = StripeShop::start().await else { return };
    let payments = &shop.bench.payments.shop;
    let unwanted = "SELECT count(*) FROM unwanted_cards";
    let attached = async |id: &str| {
        let path = format!("{}/v1/payment_methods/{id}", shop.peer.url);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let asked = http.get(path).bearer_auth(estore_testkit::localstripe::API_KEY).send().await.unwrap();
        asked.json::<Value>().await.unwrap()["customer"].is_string()
    };
    let token = shop.peer.method(GOOD).await;
    let card = shop.add(BUYER, &token).await.expect(201).id();
    assert!(attached(&token).await);
    remove(&shop, OTHER, card).await.expect(404);
    remove(&shop, BUYER, card).await.expect(204);
    remove(&shop, BUYER, card).await.expect(404);
    // Stripe is away: it is asked again later, and then it is done once.
    shop.line.fail("/detach", Fault::Busy, 1);
    forget_cards(payments).await.unwrap();
    assert!(attached(&token).await);
    assert_eq!((forget_cards(payments).await.unwrap(), shop.bench.count(unwanted).await), (0, 1), "not at once");
    shop.bench.db.execute("UPDATE unwanted_cards SET next_attempt_at = now()", &[]).await.unwrap();
    forget_cards(payments).await.unwrap();
    assert!(!attached(&token).await);
    assert_eq!(shop.bench.count(unwanted).await, 0);
    // One that an open charge needs stays until that is over.
    let waiting = shop.peer.method(WANTS_BUYER).await;
    let card = shop.add(BUYER, &waiting).await.expect(201).id();
    let needed = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(202);
    remove(&shop, BUYER, card).await.expect(204);
    assert_eq!(forget_cards(payments).await.unwrap(), 0);
    assert!(attached(&waiting).await);
    shop.peer.authenticate(&needed.json["action"], true).await;
    shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201);
    assert_eq!(forget_cards(payments).await.unwrap(), 1);
    assert!(!attached(&waiting).await);
    // One that was made of a token is a source of its customer.
    let number = json!({"number": "5555555555554444", "exp_month": 12, "exp_year": 2040, "cvc": "123"});
    let made = shop.peer.post("/v1/tokens", &json!({"card": number})).await;
    let card = shop.add(BUYER, made["id"].as_str().unwrap()).await.expect(201).id();
    remove(&shop, BUYER, card).await.expect(204);
    assert_eq!(forget_cards(payments).await.unwrap(), 1);
    assert_eq!(shop.bench.count(unwanted).await, 0);
    // The same card under another token: the first one is nobody's any more.
    let (first, second) = (shop.peer.method(GOOD).await, shop.peer.method(GOOD).await);
    let card = shop.add(BUYER, &first).await.expect(201).id();
    assert_eq!(shop.add(BUYER, &second).await.expect(200).id(), card);
    assert_eq!(forget_cards(payments).await.unwrap(), 1);
    assert!(!attached(&first).await && attached(&second).await);
    // Whoever is erased leaves none there.
    erase_customers(payments, &[erased(BUYER)]).await.unwrap();
    assert_eq!(forget_cards(payments).await.unwrap(), 1);
    assert!(!attached(&second).await);
    shop.verify().await;
}
