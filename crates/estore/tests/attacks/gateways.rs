//! The gateways beside the sandbox, with the whole shop: a death at the gateway neither charges twice nor forgets.

use std::time::Duration;

use estore_testkit::client::{Answer, Client};
use estore_testkit::localstripe::{API_KEY, LocalStripe};
use estore_testkit::shop::{Processes, Shop};
use reqwest::Method;
use serde_json::{Value, json};

use crate::buyers::{insist, key, once, order_of, stock_becomes, verify_clean};
use crate::own_shop;

/// The crash points that only these gateways pass.
pub const POINTS: &[&str] =
    &["after_wait_for_buyer", "after_wait_for_staff", "before_note_stripe_event", "after_note_stripe_event"];

const RESUME_TIME_MAX: Duration = Duration::from_secs(30);
const END_TIME_MAX: Duration = Duration::from_secs(40);
/// Cents.
const PRICE: i64 = 700;
const WEBHOOK_SECRET: &str = "whsec_test";
const GOOD: &str = "4242424242424242";
const WANTS_BUYER: &str = "4000002500003155";

/// A shop with another gateway.
struct Attacked {
    shop: Shop,
    settings: Vec<(String, String)>,
    admin: Client,
    buyer: Client,
}

impl Attacked {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let mut shop = own_shop(Processes::One).await;
        let mut own = vec![("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS".to_owned(), "2".to_owned())];
        own.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        shop.kill(0);
        launch(&mut shop, &own, None);
        shop.wait_until_ready().await;
        let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
        Self { shop, settings: own, admin, buyer }
    }

    /// Does something that leads to a crash point, and has the process die there and start again.
    async fn die_at(&mut self, point: &str, act: impl AsyncFnOnce(&Self)) {
        self.shop.kill(0);
        launch(&mut self.shop, &self.settings, Some(point));
        // An event that was on its way may take it to the point before it is ready.
        for _ in 0..120 {
            let ready = tokio::time::timeout(Duration::from_millis(500), self.shop.wait_until_ready()).await;
            if ready.is_ok() || self.shop.has_ended(0, Duration::ZERO).await {
                break;
            }
        }
        act(self).await;
        assert!(self.shop.has_ended(0, END_TIME_MAX).await, "{point} is never reached");
        launch(&mut self.shop, &self.settings, None);
        self.shop.wait_until_ready().await;
    }

    async fn method(&self, body: Value) -> i64 {
        let added = self.buyer.post("/v1/payment-methods", &body).await;
        assert!(matches!(added.status, 200 | 201), "{}", added.text);
        added.id()
    }

    async fn card(&self, stripe: &LocalStripe, number: &str) -> i64 {
        let token = stripe.method(number).await;
        self.method(json!({ "payment_type": "card", "details": { "token": token } })).await
    }

    async fn set_paid(&self, order: i64) -> Answer {
        let path = format!("/v1/orders/{order}/status");
        self.admin.send(Method::PUT, &path, Some(&json!({ "status": "paid" })), &[]).await
    }
}

fn launch(shop: &mut Shop, settings: &[(String, String)], armed: Option<&str>) {
    let mut variables: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    variables.extend(armed.map(|point| ("ESTORE_TEST_CRASH_AT", point)));
    shop.launch(0, &variables);
}

async fn stripe_shop(stripe: &LocalStripe) -> Attacked {
    let settings = [
        ("ESTORE_PAYMENTS__GATEWAY", "stripe"),
        ("ESTORE_PAYMENTS__STRIPE__API_KEY", API_KEY),
        ("ESTORE_PAYMENTS__STRIPE__BASE_URL", stripe.url.as_str()),
        ("ESTORE_PAYMENTS__STRIPE__WEBHOOK_SECRET", WEBHOOK_SECRET),
    ];
    Attacked::start(&settings).await
}

#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn a_death_at_stripe_charges_and_refunds_once() {
    let Some(stripe) = LocalStripe::start().await else { return };
    let mut attacked = stripe_shop(&stripe).await;
    let card = attacked.card(&stripe, GOOD).await;
    let mut taken = 0;
    for point in ["before_charge", "after_charge", "settle_before_commit"] {
        let product = attacked.admin.product(PRICE, 5).await;
        let (key, body) = (key(), order_of(product, 1, card));
        attacked.die_at(point, async |attacked| drop(once(&attacked.buyer, "/v1/orders", &key, &body).await)).await;
        let answer = insist(&attacked.buyer, "/v1/orders", &key, &body).await.expect(201);
        taken += PRICE;
        assert_eq!(stripe.balance().await, taken, "{point}: {}", answer.text);
        stock_becomes(&attacked.admin, product, 4).await;
        verify_clean(&attacked.shop, RESUME_TIME_MAX).await;
    }
    for point in ["after_reserve", "after_pay_out", "before_book"] {
        let product = attacked.admin.product(PRICE, 5).await;
        let paid = insist(&attacked.buyer, "/v1/orders", &key(), &order_of(product, 1, card)).await.expect(201).id();
        let (path, key) = (format!("/v1/orders/{paid}/refunds"), key());
        let body = json!({ "amount": 200, "reason": "scratched" });
        attacked.die_at(point, async |attacked| drop(once(&attacked.admin, &path, &key, &body).await)).await;
        let _refunded = insist(&attacked.admin, &path, &key, &body).await.expect(201);
        taken += PRICE - 200;
        assert_eq!(stripe.balance().await, taken, "{point}");
        verify_clean(&attacked.shop, RESUME_TIME_MAX).await;
    }
}

#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn a_death_while_a_buyer_is_at_the_bank_loses_nothing() {
    let Some(stripe) = LocalStripe::start().await else { return };
    let mut attacked = stripe_shop(&stripe).await;
    let card = attacked.card(&stripe, WANTS_BUYER).await;
    let mut taken = 0;
    for told in ["before_note_stripe_event", "after_note_stripe_event"] {
        taken += PRICE;
        dies_at_the_bank(&mut attacked, &stripe, card, told, taken).await;
    }
}

/// A death when the buyer is sent to the bank, and another when Stripe tells how that ended.
async fn dies_at_the_bank(attacked: &mut Attacked, stripe: &LocalStripe, card: i64, told: &str, taken: i64) {
    let product = attacked.admin.product(PRICE, 5).await;
    let (key, body) = (key(), order_of(product, 1, card));
    attacked
        .die_at("after_wait_for_buyer", async |attacked| drop(once(&attacked.buyer, "/v1/orders", &key, &body).await))
        .await;
    // The answer was lost with the process: the same request is told again what the bank wants.
    let needed = insist(&attacked.buyer, "/v1/orders", &key, &body).await.expect(202);
    assert_eq!(stripe.balance().await, taken - PRICE);
    let url = format!("{}/v1/stripe/webhook", attacked.shop.address.payments);
    stripe.post("/_config/webhooks/test", &json!({ "url": url, "secret": WEBHOOK_SECRET })).await;
    attacked.die_at(told, async |_| stripe.authenticate(&needed.json["action"], true).await).await;
    let paid = insist(&attacked.buyer, "/v1/orders", &key, &body).await.expect(201);
    assert_eq!(paid.json["status"], "paid");
    assert_eq!(stripe.balance().await, taken);
    stock_becomes(&attacked.admin, product, 4).await;
    verify_clean(&attacked.shop, RESUME_TIME_MAX).await;
}

#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn an_invoice_outlives_its_process_and_is_paid_once() {
    let mut attacked = Attacked::start(&[("ESTORE_PAYMENTS__GATEWAY", "manual")]).await;
    let method = attacked.method(json!({ "payment_type": "invoice", "details": {} })).await;
    let product = attacked.admin.product(PRICE, 5).await;
    let (key, body) = (key(), order_of(product, 2, method));
    attacked
        .die_at("after_wait_for_staff", async |attacked| drop(once(&attacked.buyer, "/v1/orders", &key, &body).await))
        .await;
    let placed = insist(&attacked.buyer, "/v1/orders", &key, &body).await.expect(201);
    assert_eq!(placed.json["status"], "pending");
    attacked
        .die_at("settle_before_commit", async |attacked| {
            let path = format!("/v1/orders/{}/status", placed.id());
            let body = json!({ "status": "paid" });
            drop(attacked.admin.try_send(Method::PUT, &path, Some(&body), &[]).await);
        })
        .await;
    let _paid = attacked.set_paid(placed.id()).await.expect(200);
    assert_eq!(attacked.set_paid(placed.id()).await.expect(409).code(), "illegal_transition");
    stock_becomes(&attacked.admin, product, 3).await;
    verify_clean(&attacked.shop, RESUME_TIME_MAX).await;
}
