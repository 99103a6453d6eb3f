//! A gateway that loses sales and answers when told to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use estore_kit::batcher::BatchLimits;
use uuid::Uuid;

use super::fall::Fall;
use crate::card::Card;
use crate::gateway::sandbox::Sandbox;
use crate::gateway::{CardToken, ClosedSale, Gateway, GatewayError, GatewayRefund, RefundOutcome, Sale, SaleOutcome};

/// The sandbox behind a line that can fail.
pub(super) struct FaultyGateway {
    pub(super) sandbox: Sandbox,
    /// Sales do not reach it, and are told as unknown.
    pub(super) loses_sales: AtomicBool,
    /// Its answers are lost.
    pub(super) loses_answers: AtomicBool,
    /// It refuses refunds.
    pub(super) refuses_refunds: AtomicBool,
    /// Sales asked of it.
    pub(super) sales: AtomicUsize,
    pub(super) fall: Fall,
}

#[async_trait]
impl Gateway for FaultyGateway {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn batches(&self) -> BatchLimits {
        self.sandbox.batches()
    }

    fn is_carried(&self) -> bool {
        self.sandbox.is_carried()
    }

    async fn tokenise(&self, card: &Card) -> Result<CardToken, GatewayError> {
        self.sandbox.tokenise(card).await
    }

    async fn sale(&self, sales: Vec<Sale>) -> Vec<SaleOutcome> {
        self.sales.fetch_add(sales.len(), SeqCst);
        let lost = || SaleOutcome::Unknown { cause: "lost".into() };
        if self.loses_sales.load(SeqCst) {
            return sales.iter().map(|_| lost()).collect();
        }
        let outcomes = self.sandbox.sale(sales).await;
        self.fall.happen().await;
        if self.loses_answers.load(SeqCst) { outcomes.iter().map(|_| lost()).collect() } else { outcomes }
    }

    async fn close(&self, keys: Vec<Uuid>) -> Vec<ClosedSale> {
        if self.loses_answers.load(SeqCst) {
            return keys.iter().map(|_| ClosedSale::Silent { cause: "lost".into() }).collect();
        }
        self.sandbox.close(keys).await
    }

    async fn refund(&self, refunds: Vec<GatewayRefund>) -> Vec<RefundOutcome> {
        if self.refuses_refunds.load(SeqCst) {
            return refunds.iter().map(|_| RefundOutcome::Refused { cause: "no".into() }).collect();
        }
        let outcomes = self.sandbox.refund(refunds).await;
        let lost = || RefundOutcome::Unknown { cause: "lost".into() };
        if self.loses_answers.load(SeqCst) { outcomes.iter().map(|_| lost()).collect() } else { outcomes }
    }
}
