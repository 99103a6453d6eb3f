//! The gateway `stripe` against localstripe, which we did not write, through a line that fails when told to.

use std::sync::Arc;

use estore_testkit::localstripe::LocalStripe;
use serde_json::{Value, json};

use self::peer::Line;
use super::bench::{BUYER, Bench, Got, LAST, STAFF, TEA};
use crate::PaymentsConfig;
use crate::gateway::Gateway;
use crate::gateway::stripe::Stripe;
use crate::gateway::stripe::config::{Secret, StripeConfig};

mod bad_line;
mod closing;
mod events;
mod money;
mod peer;
mod reserved;
mod waiting;

/// A shop with Stripe behind a line.
struct StripeShop {
    bench: Bench,
    peer: LocalStripe,
    line: Line,
}

const WEBHOOK_SECRET: &str = "whsec_test";

impl StripeShop {
    async fn start() -> Option<Self> {
        Self::start_with(StripeConfig::default()).await
    }

    async fn start_with(stripe: StripeConfig) -> Option<Self> {
        Self::start_in("USD", stripe).await
    }

    async fn start_in(currency: &str, stripe: StripeConfig) -> Option<Self> {
        let peer = LocalStripe::start().await?;
        let line = Line::to(&peer.url).await;
        let stripe = StripeConfig {
            api_key: Some(Secret::from("sk_test_12345")),
            webhook_secret: Some(Secret::from(WEBHOOK_SECRET)),
            base_url: line.url.clone(),
            ..stripe
        };
        let (gateway, currency) = ("stripe".to_owned(), currency.to_owned());
        let config = PaymentsConfig { gateway, currency, stripe: stripe.clone(), ..PaymentsConfig::default() };
        let bench = Bench::start_with(config, |db| Some(Arc::new(Stripe::open(db.clone(), &stripe).unwrap()))).await;
        Some(Self { bench, peer, line })
    }

    async fn add(&self, user: i32, token: &str) -> Got {
        let body = json!({"payment_type": "card", "details": {"token": token}});
        self.bench.send(self.bench.request(user, "POST", "/v1/payment-methods", None, &body)).await
    }

    async fn card(&self, number: &str) -> i64 {
        let got = self.add(BUYER, &self.peer.method(number).await).await;
        assert!(matches!(got.status, 200 | 201), "{}", got.json);
        got.id()
    }

    fn gateway(&self) -> Arc<dyn Gateway> {
        Arc::clone(&self.bench.payments.shop.gateway)
    }

    async fn refund(&self, order: i64, key: &str, amount: i32) -> Got {
        let body = json!({"amount": amount, "reason": "broken on arrival"});
        self.bench.post(STAFF, &format!("/v1/orders/{order}/refunds"), key, body).await
    }

    /// What Stripe took is what the ledger says, and every promise holds.
    async fn verify(&self) {
        let booked = "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entries WHERE account = 'gateway_clearing'";
        assert_eq!(self.peer.balance().await, self.bench.count(booked).await);
        self.bench.verify().await;
    }
}

const GOOD: &str = "4242424242424242";
/// Can be added, and is declined when it is charged.
const DECLINED: &str = "4000000000000341";
/// Its bank wants to see the buyer.
const WANTS_BUYER: &str = "4000002500003155";

#[tokio::test]
async fn a_token_becomes_a_payment_method_and_numbers_are_refused() {
    let Some(shop) = StripeShop::start().await else { return };
    let token = shop.peer.method(GOOD).await;
    let added = shop.add(BUYER, &token).await.expect(201);
    assert_eq!(
        added.json["details"],
        json!({"brand": "visa", "last4": "4242", "expiry_month": 12, "expiry_year": 2040})
    );
    let again = shop.add(BUYER, &shop.peer.method(GOOD).await).await.expect(200);
    assert_eq!(again.id(), added.id());
    let card = json!({"number": "5555555555554444", "exp_month": 12, "exp_year": 2040, "cvc": "123"});
    let made = shop.peer.post("/v1/tokens", &json!({"card": card})).await;
    let other = shop.add(BUYER, made["id"].as_str().unwrap()).await.expect(201);
    assert_eq!(other.json["details"]["last4"], "4444");
    let details = json!({"card_number": GOOD, "expiry_month": 12, "expiry_year": 2040, "cvc": "123"});
    let body = json!({"payment_type": "card", "details": details});
    let refused =
        shop.bench.send(shop.bench.request(BUYER, "POST", "/v1/payment-methods", None, &body)).await.expect(422);
    assert_eq!(refused.json["errors"][0]["code"], "card_number_not_accepted");
    for unknown in ["pm_nothing", "tok_nothing", "pm_../customers", "4242424242424242", ""] {
        let refused = shop.add(BUYER, unknown).await.expect(422);
        assert_eq!(refused.json["errors"][0]["code"], "unknown_token", "{unknown}");
    }
    let declined = shop.peer.method("4000000000000002").await;
    assert_eq!(shop.add(BUYER, &declined).await.expect(402).code(), "card_declined");
    assert_eq!(shop.peer.list("customers").await.len(), 1, "one customer a user");
    shop.verify().await;
}

#[tokio::test]
async fn an_order_is_charged_once_and_refunded_in_parts() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let placed = shop.bench.order(BUYER, "k1", TEA, 3, card).await.expect(201);
    let again = shop.bench.order(BUYER, "k1", TEA, 3, card).await.expect(201);
    assert_eq!(placed.bytes, again.bytes);
    let charges = shop.peer.list("charges").await;
    assert_eq!((charges.len(), &charges[0]["amount"], &charges[0]["currency"]), (1, &json!(750), &json!("usd")));
    let intents = shop.peer.list("payment_intents").await;
    assert_eq!(intents[0]["metadata"]["estore_checkout"], placed.json["checkout_id"]);
    shop.refund(placed.id(), "r1", 250).await.expect(201);
    shop.refund(placed.id(), "r1", 250).await.expect(201);
    shop.verify().await;
    let cancelled =
        shop.bench.request(BUYER, "POST", &format!("/v1/orders/{}/cancel", placed.id()), None, &Value::Null);
    shop.bench.send(cancelled).await.expect(409);
    shop.refund(placed.id(), "r2", 500).await.expect(201);
    assert_eq!(shop.peer.balance().await, 0);
    assert_eq!(shop.peer.list("refunds").await.len(), 2);
    shop.verify().await;
}

#[tokio::test]
async fn a_declined_card_is_told_and_its_intent_is_dead() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(DECLINED).await;
    let declined = shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(402);
    assert_eq!(declined.code(), "card_declined");
    assert_eq!(shop.bench.order(BUYER, "k1", LAST, 1, card).await.expect(402).bytes, declined.bytes);
    let intents = shop.peer.list("payment_intents").await;
    assert_eq!((intents.len(), &intents[0]["status"]), (1, &json!("canceled")));
    shop.bench.relay().await;
    assert_eq!(shop.bench.stock.left(LAST), 1);
    let good = shop.card(GOOD).await;
    shop.bench.order(BUYER, "k2", LAST, 1, good).await.expect(201);
    shop.verify().await;
}
