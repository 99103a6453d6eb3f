//! The built-in gateway: durable, takes no real money, and behaves like Stripe's test cards.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use estore_kit::batcher::BatchLimits;
use estore_kit::db::{Db, DbError};
use uuid::Uuid;

use super::{CardToken, ClosedSale, Gateway, GatewayError, GatewayRefund, RefundOutcome, Refusal, Sale, SaleOutcome};
use crate::card::{Card, CardNumber};
use crate::limits::STEP;
use crate::store::sandbox as store;

/// The sandbox on its tables of the payments database, always in transactions of its own. What a sale came to is on disk
/// once it is settled, or once the sandbox was asked to close it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    db: Db,
    fingerprint_key: hmac::Key,
}

/// What a card of the sandbox does when it is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Approve,
    Refuse(Refusal),
    /// Does not answer; made or not, by the sale's key.
    Unknown,
}

impl Behaviour {
    fn of_card(number: &CardNumber) -> Self {
        match number.digits() {
            "4000000000000002" => Self::Refuse(Refusal::CardDeclined),
            "4000000000009995" => Self::Refuse(Refusal::InsufficientFunds),
            "4000000000000119" => Self::Unknown,
            _ => Self::Approve,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Refuse(refusal) => refusal.code(),
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        match word {
            "approve" => Self::Approve,
            "insufficient_funds" => Self::Refuse(Refusal::InsufficientFunds),
            "unknown" => Self::Unknown,
            _ => Self::Refuse(Refusal::CardDeclined),
        }
    }
}

impl Sandbox {
    /// Opens the sandbox; makes its fingerprint key on the first start.
    pub async fn open(db: Db) -> Result<Self, DbError> {
        let key = store::fingerprint_key(&db, &rand::random::<[u8; 32]>()).await?;
        Ok(Self { db, fingerprint_key: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    async fn try_sale(&self, sales: &[Sale]) -> Result<Vec<SaleOutcome>, DbError> {
        let tokens: Vec<&str> = sales.iter().map(|sale| sale.token.as_str()).collect();
        let behaviours = store::behaviours(&self.db, &tokens).await?;
        let rows: Vec<_> = sales
            .iter()
            .filter_map(|sale| Some((sale.key, intended(behaviours.get(&sale.token).copied(), sale.key)?, sale.amount)))
            .collect();
        let found = store::make_sales(&self.db, &rows).await?;
        let outcome = |sale: &Sale| match found.get(&sale.key).map(String::as_str) {
            _ if behaviours.get(&sale.token) == Some(&Behaviour::Unknown) => timed_out(),
            Some("captured") => SaleOutcome::Captured { reference: reference("sale", sale.key) },
            Some("card_declined") => SaleOutcome::Refused(Refusal::CardDeclined),
            Some("insufficient_funds") => SaleOutcome::Refused(Refusal::InsufficientFunds),
            Some("closed") => SaleOutcome::Closed,
            _ => timed_out(),
        };
        Ok(sales.iter().map(outcome).collect())
    }

    async fn try_close(&self, keys: &[Uuid]) -> Result<Vec<ClosedSale>, DbError> {
        let found = store::close_sales(&self.db, keys).await?;
        let outcome = |key: &Uuid| match found.get(key).map(String::as_str) {
            Some("captured") => ClosedSale::Captured { reference: reference("sale", *key) },
            Some("card_declined") => ClosedSale::Refused(Refusal::CardDeclined),
            Some("insufficient_funds") => ClosedSale::Refused(Refusal::InsufficientFunds),
            Some("closed") => ClosedSale::NotMade,
            _ => ClosedSale::Silent { cause: "the sandbox lost a row".to_owned() },
        };
        Ok(keys.iter().map(outcome).collect())
    }
}

/// The state that a sale ends in, or none where it vanishes without a trace.
fn intended(behaviour: Option<Behaviour>, key: Uuid) -> Option<&'static str> {
    match behaviour {
        Some(Behaviour::Approve) => Some("captured"),
        Some(Behaviour::Unknown) => unknown_is_made(key).then_some("captured"),
        Some(Behaviour::Refuse(refusal)) => Some(refusal.code()),
        None => Some("card_declined"),
    }
}

/// Whether a sale on the card that never answers is made: by its key, so that tests can have either.
fn unknown_is_made(key: Uuid) -> bool {
    key.as_bytes().last().is_some_and(|byte| byte % 2 == 0)
}

fn timed_out() -> SaleOutcome {
    SaleOutcome::Unknown { cause: "the sandbox timed out, as this test card makes it do".to_owned() }
}

fn reference(kind: &str, key: Uuid) -> String {
    format!("sandbox_{kind}_{}", key.simple())
}

#[async_trait]
impl Gateway for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn batches(&self) -> BatchLimits {
        STEP
    }

    fn is_carried(&self) -> bool {
        true
    }

    async fn tokenise(&self, card: &Card) -> Result<CardToken, GatewayError> {
        let fingerprint = hex::encode(hmac::sign(&self.fingerprint_key, card.number.digits().as_bytes()));
        let token = format!("card_{}", Uuid::new_v4().simple());
        let behaviour = Behaviour::of_card(&card.number);
        let token = store::tokenise(&self.db, &token, &fingerprint, behaviour).await;
        Ok(CardToken { token: token.map_err(|error| GatewayError(error.to_string()))?, fingerprint })
    }

    async fn sale(&self, sales: Vec<Sale>) -> Vec<SaleOutcome> {
        match self.try_sale(&sales).await {
            Ok(outcomes) => outcomes,
            Err(error) => sales.iter().map(|_| SaleOutcome::Unknown { cause: error.to_string() }).collect(),
        }
    }

    async fn close(&self, keys: Vec<Uuid>) -> Vec<ClosedSale> {
        match self.try_close(&keys).await {
            Ok(outcomes) => outcomes,
            Err(error) => keys.iter().map(|_| ClosedSale::Silent { cause: error.to_string() }).collect(),
        }
    }

    async fn refund(&self, refunds: Vec<GatewayRefund>) -> Vec<RefundOutcome> {
        let mut outcomes = Vec::with_capacity(refunds.len());
        for refund in &refunds {
            outcomes.push(match store::refund(&self.db, refund).await {
                Ok(true) => RefundOutcome::PaidOut { reference: reference("refund", refund.key) },
                Ok(false) => RefundOutcome::Refused { cause: "the sale has less left than that".to_owned() },
                Err(error) => RefundOutcome::Unknown { cause: error.to_string() },
            });
        }
        outcomes
    }
}

/// The behaviours of tokens, by token.
pub(crate) type Behaviours = HashMap<String, Behaviour>;
