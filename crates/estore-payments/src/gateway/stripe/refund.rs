//! Refunds at Stripe: looked for by our key first, so that one that was made before is not made again.

use super::client::{BANK_TIME_MAX, Failure, Post};
use super::wire::{Page, StripeRefund};
use super::{Silence, Stripe, amount};
use crate::gateway::{GatewayRefund, RefundOutcome};
use crate::store::stripe::{self as store, Noted};

/// How many pages of 100 refunds of one charge are looked through: more than a checkout has lines.
const PAGES_MAX: u32 = 100;

impl Stripe {
    pub(super) async fn refund_one(&self, refund: &GatewayRefund) -> RefundOutcome {
        match self.try_refund(refund).await {
            Ok(outcome) => outcome,
            Err(Silence(cause)) => RefundOutcome::Unknown { cause },
        }
    }

    async fn try_refund(&self, refund: &GatewayRefund) -> Result<RefundOutcome, Silence> {
        let Some(Noted::Intent(intent)) = store::noted(&self.db, refund.sale).await? else {
            return Ok(RefundOutcome::Refused { cause: "no intent is known for the charge".to_owned() });
        };
        let key = refund.key.to_string();
        if let Some(made) = self.find_refund(&intent, &key).await? {
            return became(made);
        }
        let Some(units) = amount::units(&refund.currency, refund.amount) else {
            return Ok(RefundOutcome::Refused { cause: format!("{} has no such amount", refund.currency) });
        };
        let amount = units.to_string();
        let form = [("payment_intent", intent.as_str()), ("amount", &amount), ("metadata[estore_refund]", &key)];
        let post = Post {
            path: "/v1/refunds",
            form: &form,
            idempotency_key: Some(format!("estore-refund-{key}")),
            time_max: BANK_TIME_MAX,
        };
        match self.client.post::<StripeRefund>(post).await {
            Ok(made) => became(made),
            Err(Failure::Refused { status: 400 | 402, fault }) => Ok(RefundOutcome::Refused { cause: fault.text() }),
            Err(failure) => Err(Silence(failure.text())),
        }
    }

    async fn find_refund(&self, intent: &str, key: &str) -> Result<Option<StripeRefund>, Silence> {
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("payment_intent", intent), ("limit", "100")];
            query.extend(after.as_deref().map(|after| ("starting_after", after)));
            let page: Page<StripeRefund> =
                self.client.get("/v1/refunds", &query).await.map_err(|failure| Silence(failure.text()))?;
            let ours = |made: &&StripeRefund| made.metadata.get("estore_refund").and_then(|v| v.as_str()) == Some(key);
            if let Some(found) = page.data.iter().find(ours) {
                return Ok(Some(found.clone()));
            }
            after = page.data.last().map(|last| last.id.clone());
            if !page.has_more || after.is_none() {
                return Ok(None);
            }
        }
        Err(Silence("the charge has more refunds than are looked through".to_owned()))
    }
}

fn became(made: StripeRefund) -> Result<RefundOutcome, Silence> {
    match made.status.as_deref() {
        Some("succeeded") => Ok(RefundOutcome::PaidOut { reference: made.id }),
        Some("failed" | "canceled") => {
            Ok(RefundOutcome::Refused { cause: made.failure_reason.unwrap_or_else(|| "failed at Stripe".to_owned()) })
        }
        // Under way at the bank: asked again until it has ended.
        other => Err(Silence(format!("{} is {}", made.id, other.unwrap_or("in no state")))),
    }
}
