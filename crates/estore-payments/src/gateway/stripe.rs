//! Stripe, by its HTTP API.
//!
//! A charge is two calls: an intent is made, its name is noted in our own database, and only the noted intent is ever
//! confirmed. An intent takes money at most once, so the note, not a lookup, is what makes a charge single; closing
//! a charge cancels the noted intent, or notes that there will be none. Idempotency keys come on top.

use async_trait::async_trait;
use estore_kit::batcher::BatchLimits;
use estore_kit::db::{Db, DbError};
use futures_util::future::join_all;
use uuid::Uuid;

use self::client::{BANK_TIME_MAX, CALL_TIME_MAX, Client, Failure, Post};
use self::config::{Capture, StripeConfig};
use self::wire::{Fault, Intent};
use super::{
    AdoptError, AdoptedCard, CardForm, CardToken, ClosedSale, Gateway, GatewayError, GatewayRefund, RefundOutcome,
    Refusal, Sale, SaleOutcome,
};
use crate::card::Card;
use crate::limits::STRIPE;
use crate::store::stripe::{self as store, Noted};

mod adopt;
pub(crate) mod amount;
mod client;
pub mod config;
mod forget;
mod refund;
pub(crate) mod signature;
mod wire;

/// The name of a charge of nothing, for which Stripe is not asked.
const FREE: &str = "free";
/// How often an intent is asked for; none takes money, so asking again is safe.
const MAKE_TRIES: u32 = 2;

/// Stripe, with the notes in the payments database.
#[derive(Debug, Clone)]
pub struct Stripe {
    db: Db,
    client: Client,
    capture: Capture,
    publishable_key: Option<String>,
}

impl Stripe {
    /// Stripe as configured; says what is wrong with the configuration. Nothing is asked of Stripe yet.
    pub fn open(db: Db, config: &StripeConfig) -> Result<Self, String> {
        let client = Client::new(&config.base_url, config.key()?)?;
        Ok(Self { db, client, capture: config.capture, publishable_key: config.publishable_key.clone() })
    }

    async fn sell(&self, sale: &Sale) -> Result<SaleOutcome, Silence> {
        let intent = match amount::units(&sale.currency, sale.amount) {
            // Nobody is asked for nothing: of two who end the order, settling it decides.
            Some(0) => return Ok(SaleOutcome::Captured { reference: FREE.to_owned() }),
            Some(units) => self.make(sale, units).await?,
            None => {
                let (checkout, currency) = (sale.key, &sale.currency);
                tracing::error!(%checkout, currency, cents = sale.amount, "the currency has no such amount");
                return match self.close_one(sale.key).await? {
                    SaleOutcome::Closed => Ok(SaleOutcome::Refused(Refusal::AmountNotPossible)),
                    other => Ok(other),
                };
            }
        };
        match store::note_intent(&self.db, sale.key, &intent).await? {
            Noted::Closed => Ok(SaleOutcome::Closed),
            Noted::Intent(noted) => self.confirm(sale.key, &noted).await,
        }
    }

    /// Makes an intent, which takes no money by itself. One whose name is lost on the way is never confirmed.
    async fn make(&self, sale: &Sale, units: i64) -> Result<String, Silence> {
        let (customer, method) = sale.token.split_once(':').unwrap_or(("", &sale.token));
        let (amount, currency) = (units.to_string(), sale.currency.to_ascii_lowercase());
        let checkout = sale.key.to_string();
        let form = [
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("customer", customer),
            ("payment_method", method),
            ("payment_method_types[]", "card"),
            ("capture_method", if self.capture == Capture::Manual { "manual" } else { "automatic" }),
            ("metadata[estore_checkout]", &checkout),
        ];
        let mut tries = 0;
        loop {
            tries += 1;
            let post = Post {
                path: "/v1/payment_intents",
                form: &form,
                idempotency_key: Some(format!("estore-intent-{}", sale.key)),
                time_max: CALL_TIME_MAX,
            };
            match self.client.post::<Intent>(post).await {
                Ok(intent) => return Ok(intent.id),
                Err(Failure::Silent(_)) if tries < MAKE_TRIES => {}
                Err(failure) => return Err(Silence(failure.text())),
            }
        }
    }

    async fn confirm(&self, key: Uuid, intent: &str) -> Result<SaleOutcome, Silence> {
        let path = format!("/v1/payment_intents/{intent}/confirm");
        let idempotency_key = Some(format!("estore-confirm-{key}"));
        let post = Post { path: &path, form: &[], idempotency_key, time_max: BANK_TIME_MAX };
        match self.client.post::<Intent>(post).await {
            Ok(intent) => self.outcome(intent).await,
            Err(Failure::Refused { status: 402, fault }) => {
                tracing::info!(checkout = %key, fault = fault.text(), "Stripe refused a charge");
                self.end(intent, Some(&fault)).await
            }
            // Confirmed or closed before.
            Err(Failure::Refused { .. }) => self.outcome(self.read(intent).await?).await,
            Err(failure) => Err(Silence(failure.text())),
        }
    }

    /// What an intent's state says of its charge. One that can only be refused is cancelled first.
    async fn outcome(&self, intent: Intent) -> Result<SaleOutcome, Silence> {
        match intent.status.as_str() {
            "succeeded" => Ok(SaleOutcome::Captured { reference: intent.id }),
            "requires_capture" => Ok(SaleOutcome::Authorised { reference: intent.id }),
            "requires_action" => Ok(SaleOutcome::NeedsBuyer(intent.action(self.publishable_key.clone()))),
            "requires_payment_method" => self.end(&intent.id, intent.last_payment_error.as_ref()).await,
            "canceled" => Ok(over(intent.last_payment_error.as_ref())),
            other => Err(Silence(format!("{} is {other}", intent.id))),
        }
    }

    /// Cancels an intent so that nobody can confirm it any more; what it is then.
    async fn end(&self, intent: &str, fault: Option<&Fault>) -> Result<SaleOutcome, Silence> {
        let path = format!("/v1/payment_intents/{intent}/cancel");
        let post = Post { path: &path, form: &[], idempotency_key: None, time_max: CALL_TIME_MAX };
        match self.client.post::<Intent>(post).await {
            Ok(now) if now.status == "canceled" => Ok(over(fault.or(now.last_payment_error.as_ref()))),
            Ok(now) => Err(Silence(format!("{intent} is {} after it was cancelled", now.status))),
            // It has gone another way meanwhile, or was cancelled before.
            Err(Failure::Refused { .. }) => {
                let now: Intent = self.read(intent).await?;
                match now.status.as_str() {
                    "succeeded" => Ok(SaleOutcome::Captured { reference: now.id }),
                    "canceled" => Ok(over(fault.or(now.last_payment_error.as_ref()))),
                    other => Err(Silence(format!("{intent} is {other} and not to be cancelled"))),
                }
            }
            Err(failure) => Err(Silence(failure.text())),
        }
    }

    async fn read(&self, intent: &str) -> Result<Intent, Silence> {
        let path = format!("/v1/payment_intents/{intent}");
        self.client.get(&path, &[]).await.map_err(|failure| Silence(failure.text()))
    }

    async fn close_one(&self, key: Uuid) -> Result<SaleOutcome, Silence> {
        match store::close(&self.db, key).await? {
            Noted::Closed => Ok(SaleOutcome::Closed),
            Noted::Intent(noted) => {
                let now = self.read(&noted).await?;
                match now.status.as_str() {
                    "succeeded" | "canceled" => self.outcome(now).await,
                    _ => self.end(&noted, now.last_payment_error.as_ref()).await,
                }
            }
        }
    }

    async fn look_up_one(&self, key: Uuid) -> Result<SaleOutcome, Silence> {
        match store::noted(&self.db, key).await? {
            None => Err(Silence("no intent is noted yet".to_owned())),
            Some(Noted::Closed) => Ok(SaleOutcome::Closed),
            Some(Noted::Intent(noted)) => self.outcome(self.read(&noted).await?).await,
        }
    }

    async fn capture_one(&self, key: Uuid) -> Result<SaleOutcome, Silence> {
        let Some(Noted::Intent(noted)) = store::noted(&self.db, key).await? else { return Ok(SaleOutcome::Closed) };
        let now = self.read(&noted).await?;
        if now.status != "requires_capture" {
            // Captured before, or let go.
            return self.outcome(now).await;
        }
        let path = format!("/v1/payment_intents/{noted}/capture");
        let idempotency_key = Some(format!("estore-capture-{key}"));
        let post = Post { path: &path, form: &[], idempotency_key, time_max: BANK_TIME_MAX };
        match self.client.post::<Intent>(post).await {
            Ok(now) => self.outcome(now).await,
            // It went another way just now.
            Err(Failure::Refused { .. }) => self.outcome(self.read(&noted).await?).await,
            Err(failure) => Err(Silence(failure.text())),
        }
    }
}

/// An intent that was cancelled: because it was refused, or because it was closed.
fn over(fault: Option<&Fault>) -> SaleOutcome {
    fault.map_or(SaleOutcome::Closed, |fault| SaleOutcome::Refused(fault.refusal()))
}

/// Nothing is known for sure; for the log.
#[derive(Debug, Clone)]
struct Silence(String);

impl From<DbError> for Silence {
    fn from(error: DbError) -> Self {
        Self(error.to_string())
    }
}

fn told(outcome: Result<SaleOutcome, Silence>) -> SaleOutcome {
    outcome.unwrap_or_else(|Silence(cause)| SaleOutcome::Unknown { cause })
}

#[async_trait]
impl Gateway for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn batches(&self) -> BatchLimits {
        STRIPE
    }

    fn takes(&self) -> CardForm {
        CardForm::Token
    }

    async fn tokenise(&self, _card: &Card) -> Result<CardToken, GatewayError> {
        Err(GatewayError("card numbers are for Stripe alone".to_owned()))
    }

    async fn adopt(&self, user_id: i32, token: &str) -> Result<AdoptedCard, AdoptError> {
        self.adopt_card(user_id, token).await
    }

    fn can_move(&self, currency: &str, cents: i64) -> bool {
        amount::units(currency, cents).is_some()
    }

    fn forgets(&self) -> bool {
        true
    }

    async fn forget(&self, token: &str) -> Result<(), GatewayError> {
        self.forget_card(token).await
    }

    async fn sale(&self, sales: Vec<Sale>) -> Vec<SaleOutcome> {
        join_all(sales.iter().map(|sale| async { told(self.sell(sale).await) })).await
    }

    async fn close(&self, keys: Vec<Uuid>) -> Vec<ClosedSale> {
        join_all(keys.into_iter().map(|key| async move {
            match told(self.close_one(key).await) {
                SaleOutcome::Captured { reference } => ClosedSale::Captured { reference },
                SaleOutcome::Refused(refusal) => ClosedSale::Refused(refusal),
                SaleOutcome::Closed => ClosedSale::NotMade,
                SaleOutcome::Unknown { cause } => ClosedSale::Silent { cause },
                open => ClosedSale::Silent { cause: format!("{open:?} after it was closed") },
            }
        }))
        .await
    }

    async fn look_up(&self, key: Uuid) -> SaleOutcome {
        told(self.look_up_one(key).await)
    }

    async fn capture(&self, key: Uuid) -> SaleOutcome {
        told(self.capture_one(key).await)
    }

    async fn refund(&self, refunds: Vec<GatewayRefund>) -> Vec<RefundOutcome> {
        join_all(refunds.iter().map(|refund| self.refund_one(refund))).await
    }
}
