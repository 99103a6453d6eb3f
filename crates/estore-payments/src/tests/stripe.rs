//! The gateway `stripe` against localstripe, which we did not write, through a line that fails when told to.

use std::sync::Arc;

use estore_testkit::localstripe::LocalStripe;
use serde_json::{Value, json};

use self::peer::{Fault, Line};
use super::bench::{BUYER, Bench, CUP, Got, LAST, STAFF, TEA};
use crate::PaymentsConfig;
use crate::gateway::stripe::Stripe;
use crate::gateway::stripe::config::{Secret, StripeConfig};
use crate::gateway::{ClosedSale, Gateway, GatewayRefund, RefundOutcome, Sale, SaleOutcome};
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::resume_refunds::resume_refunds;
use crate::service::now;

mod money;
mod peer;
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

#[tokio::test]
async fn what_goes_wrong_on_the_line_never_charges_twice() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let (make, confirm) = ("POST /v1/payment_intents", "/confirm");
    for (n, (word, fault, times, expected)) in [
        // The charge was made and its answer lost: it is found.
        (confirm, Fault::LoseAnswer, 1, 201),
        (confirm, Fault::CutAnswer, 1, 201),
        // It arrives twice: the second cannot confirm again.
        (confirm, Fault::Repeat, 1, 201),
        // It never arrives: closed, nothing taken.
        (confirm, Fault::LoseRequest, 1, 503),
        (confirm, Fault::Busy, 1, 503),
        // Making an intent takes nothing, so it is simply asked again.
        (make, Fault::LoseAnswer, 1, 201),
        (make, Fault::CutAnswer, 1, 201),
        (make, Fault::Busy, 1, 201),
        (make, Fault::Repeat, 1, 201),
        (make, Fault::LoseRequest, 2, 503),
        (confirm, Fault::Delay(300), 1, 201),
        // Slower than we wait: it is found.
        (confirm, Fault::Delay(9_000), 1, 201),
    ]
    .into_iter()
    .enumerate()
    {
        let before = shop.peer.balance().await;
        shop.line.fail(word, fault, times);
        let got = shop.bench.order(BUYER, &format!("k{n}"), CUP, 1, card).await;
        assert_eq!(got.status, expected, "{word} {fault:?}: {}", got.json);
        let taken = if expected == 201 { 1_000 } else { 0 };
        assert_eq!(shop.peer.balance().await - before, taken, "{word} {fault:?}");
        if expected == 503 {
            assert_eq!(got.code(), "charge_cut_off");
        }
        shop.verify().await;
    }
}

#[tokio::test]
async fn a_gateway_that_stays_silent_is_asked_again_and_never_charged_again() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    // The charge is made; then nothing but silence.
    shop.line.fail("/v1/payment_intents/pi_", Fault::LoseAnswer, u32::MAX);
    let unknown = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(504);
    assert_eq!(unknown.code(), "charge_outcome_unknown");
    assert_eq!(shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(409).code(), "request_in_progress");
    shop.line.fail("", Fault::Busy, 0);
    resume_checkouts(&shop.bench.payments.shop, Some(now())).await.unwrap();
    let placed = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201);
    assert!(placed.is_replay());
    assert_eq!(shop.peer.list("charges").await.len(), 1);
    shop.verify().await;
}

fn sale(key: u128, token: &str) -> Sale {
    Sale { key: uuid::Uuid::from_u128(key), token: token.to_owned(), amount: 700, currency: "USD".to_owned() }
}

async fn token(shop: &StripeShop) -> String {
    let id = i32::try_from(shop.card(GOOD).await).unwrap();
    let row = shop.bench.db.row("SELECT gateway_token FROM payment_methods WHERE id = $1", &[&id]).await.unwrap();
    row.unwrap().get(0)
}

#[tokio::test]
async fn what_is_closed_is_never_charged_and_what_is_charged_is_never_closed() {
    let Some(shop) = StripeShop::start().await else { return };
    let (gateway, token) = (shop.gateway(), token(&shop).await);
    let one = sale(1, &token);
    assert_eq!(gateway.close(vec![one.key]).await, [ClosedSale::NotMade]);
    assert_eq!(gateway.sale(vec![one.clone()]).await, [SaleOutcome::Closed], "closed before it came");
    assert_eq!(gateway.close(vec![one.key]).await, [ClosedSale::NotMade]);
    let two = sale(2, &token);
    let made = gateway.sale(vec![two.clone(), sale(3, &token)]).await;
    let SaleOutcome::Captured { reference } = &made[0] else { panic!("{made:?}") };
    assert_eq!(gateway.close(vec![two.key]).await, [ClosedSale::Captured { reference: reference.clone() }]);
    // The intent is noted and its confirmation lost: closed, and a late confirmation comes to nothing.
    shop.line.fail("/confirm", Fault::LoseRequest, 1);
    let four = sale(4, &token);
    assert!(matches!(gateway.sale(vec![four.clone()]).await[0], SaleOutcome::Unknown { .. }));
    assert_eq!(gateway.close(vec![four.key]).await, [ClosedSale::NotMade]);
    assert_eq!(shop.peer.balance().await, 1_400);
    assert_eq!(gateway.sale(vec![four]).await, [SaleOutcome::Closed], "the noted intent, and no other, is tried");
    assert_eq!(shop.peer.balance().await, 1_400);
}

#[tokio::test]
async fn closing_and_charging_at_once_agree() {
    let Some(shop) = StripeShop::start().await else { return };
    let (gateway, token) = (shop.gateway(), token(&shop).await);
    let mut taken = 0;
    for n in 100..130_u128 {
        let one = sale(n, &token);
        let key = one.key;
        let (sold, closed) = tokio::join!(gateway.sale(vec![one]), async {
            tokio::time::sleep(std::time::Duration::from_millis(u64::try_from(n - 100).unwrap())).await;
            gateway.close(vec![key]).await
        });
        match (&sold[0], &closed[0]) {
            (SaleOutcome::Captured { reference }, ClosedSale::Captured { reference: found }) => {
                assert_eq!(reference, found);
                taken += 700;
            }
            (SaleOutcome::Closed | SaleOutcome::Unknown { .. }, ClosedSale::NotMade) => {}
            // Nobody knows yet; asked again, it is known.
            (_, ClosedSale::Silent { .. }) => match &gateway.close(vec![key]).await[0] {
                ClosedSale::Captured { .. } => taken += 700,
                other => assert_eq!(other, &ClosedSale::NotMade),
            },
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(shop.peer.balance().await, taken);
}

#[tokio::test]
async fn a_refund_is_made_once_whatever_the_line_does() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let order = shop.bench.order(BUYER, "k1", CUP, 5, card).await.expect(201).id();
    let post = "POST /v1/refunds";
    for (n, (fault, times)) in
        [(Fault::LoseAnswer, 1), (Fault::CutAnswer, 1), (Fault::LoseRequest, 1), (Fault::Busy, 1)]
            .into_iter()
            .enumerate()
    {
        shop.line.fail(post, fault, times);
        let key = format!("r{n}");
        assert_eq!(shop.refund(order, &key, 300).await.expect(504).code(), "refund_outcome_unknown", "{fault:?}");
        resume_refunds(&shop.bench.payments.shop, Some(now())).await.unwrap();
        assert!(shop.refund(order, &key, 300).await.expect(201).is_replay());
        assert_eq!(shop.peer.list("refunds").await.len(), n + 1, "{fault:?}");
        shop.verify().await;
    }
    let checkout = shop.bench.db.row("SELECT id FROM checkouts", &[]).await.unwrap().unwrap().get(0);
    let again = GatewayRefund { key: uuid::Uuid::from_u128(9), sale: checkout, amount: 100, currency: "USD".into() };
    let first = shop.gateway().refund(vec![again.clone()]).await;
    assert!(matches!(first[0], RefundOutcome::PaidOut { .. }), "{first:?}");
    for _ in 0..3 {
        assert_eq!(shop.gateway().refund(vec![again.clone()]).await, first);
    }
    assert_eq!(shop.peer.list("refunds").await.len(), 5);
}

/// Between two looks at a shop on a bad line.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
/// How old a checkout is that nobody works on any more.
const CUT_OFF_AFTER: std::time::Duration = std::time::Duration::from_secs(2);

#[tokio::test]
async fn many_buyers_over_a_bad_line_are_charged_once_each() {
    let Some(shop) = StripeShop::start().await else { return };
    let (good, bad) = (shop.card(GOOD).await, shop.card(DECLINED).await);
    let shop = Arc::new(shop);
    shop.line.fail_one_in(3);
    // What is cut off is resumed, and frees its key when its stock is back.
    let keeper = Arc::clone(&shop);
    let keeping = tokio::spawn(async move {
        loop {
            // Not what is being charged this moment: on a busy machine nobody would ever come to an end.
            resume_checkouts(&keeper.bench.payments.shop, Some(now() - CUT_OFF_AFTER)).await.unwrap();
            keeper.bench.relay().await;
            tokio::time::sleep(PAUSE).await;
        }
    });
    let sends = (0..60).map(|n: usize| {
        let shop = Arc::clone(&shop);
        let card = if n % 10 == 9 { bad } else { good };
        tokio::spawn(async move {
            let mut got = shop.bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await;
            let mut tries = 0;
            while got.status >= 500 || got.code() == "request_in_progress" {
                tries += 1;
                assert!(tries < 1_000, "k{n}: {}", got.json);
                tokio::time::sleep(PAUSE).await;
                got = shop.bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await;
            }
            (card, got)
        })
    });
    let (mut paid, mut unpaid) = (0, 0);
    for send in sends.collect::<Vec<_>>() {
        let (card, got) = send.await.unwrap();
        match got.status {
            201 if card == good => paid += 1,
            _ => unpaid += u32::from(got.expect(402).code() != ""),
        }
    }
    shop.line.fail_one_in(0);
    keeping.abort();
    assert_eq!((paid, unpaid), (54, 6), "who was cut off buys anew");
    assert_eq!(shop.peer.balance().await, paid * 250);
    let intents = shop.peer.list("payment_intents").await;
    let succeeded = intents.iter().filter(|intent| intent["status"] == "succeeded");
    let mut checkouts: Vec<String> = succeeded.map(|one| one["metadata"]["estore_checkout"].to_string()).collect();
    checkouts.sort();
    let count = checkouts.len();
    checkouts.dedup();
    assert_eq!(checkouts.len(), count, "a checkout was charged twice");
    shop.bench.relay().await;
    assert_eq!(i64::from(shop.bench.stock.left(TEA)), 100_000 - paid);
    shop.verify().await;
}
