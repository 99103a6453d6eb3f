//! Payment by invoice: nobody is asked, and staff say when the money has come.

use async_trait::async_trait;
use estore_kit::batcher::BatchLimits;
use uuid::Uuid;

use super::{CardForm, CardToken, ClosedSale, Gateway, GatewayError, GatewayRefund, RefundOutcome, Sale, SaleOutcome};
use crate::card::Card;
use crate::limits::STEP;

/// The gateway without a gateway. Of two who end an order at once, settling it decides, as nothing else is involved.
#[derive(Debug, Clone, Copy)]
pub struct Manual;

fn invoice(key: Uuid) -> String {
    format!("invoice_{}", key.simple())
}

#[async_trait]
impl Gateway for Manual {
    fn name(&self) -> &'static str {
        "manual"
    }

    fn batches(&self) -> BatchLimits {
        STEP
    }

    fn takes(&self) -> CardForm {
        CardForm::Invoice
    }

    async fn tokenise(&self, _card: &Card) -> Result<CardToken, GatewayError> {
        Err(GatewayError("this shop takes no cards".to_owned()))
    }

    async fn sale(&self, sales: Vec<Sale>) -> Vec<SaleOutcome> {
        sales.iter().map(|sale| SaleOutcome::Authorised { reference: invoice(sale.key) }).collect()
    }

    async fn close(&self, keys: Vec<Uuid>) -> Vec<ClosedSale> {
        keys.iter().map(|_| ClosedSale::NotMade).collect()
    }

    async fn look_up(&self, key: Uuid) -> SaleOutcome {
        SaleOutcome::Authorised { reference: invoice(key) }
    }

    async fn capture(&self, key: Uuid) -> SaleOutcome {
        SaleOutcome::Captured { reference: invoice(key) }
    }

    /// Staff pay it out by their own means; the books say so.
    async fn refund(&self, refunds: Vec<GatewayRefund>) -> Vec<RefundOutcome> {
        let paid_out =
            |refund: &GatewayRefund| RefundOutcome::PaidOut { reference: format!("by_hand_{}", refund.key.simple()) };
        refunds.iter().map(paid_out).collect()
    }
}
