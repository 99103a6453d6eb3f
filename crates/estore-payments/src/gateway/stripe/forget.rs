//! Takes cards off a customer at Stripe, so that nobody can charge them any more.

use serde_json::Value;

use super::Stripe;
use super::client::{CALL_TIME_MAX, Failure, Post};
use crate::gateway::GatewayError;

impl Stripe {
    pub(super) async fn forget_card(&self, token: &str) -> Result<(), GatewayError> {
        let Some((customer, id)) = token.split_once(':') else { return Ok(()) };
        let answer = if id.starts_with("pm_") {
            let path = format!("/v1/payment_methods/{id}/detach");
            let post = Post { path: &path, form: &[], idempotency_key: None, time_max: CALL_TIME_MAX };
            self.client.post::<Value>(post).await
        } else {
            // A card that was made of a token is a source, which only its customer's list lets go.
            self.client.delete::<Value>(&format!("/v1/customers/{customer}/sources/{id}")).await
        };
        match answer {
            Ok(_) => Ok(()),
            Err(Failure::Refused { status, fault }) => {
                tracing::info!(status, fault = fault.text(), "Stripe does not have a card that it was to forget");
                Ok(())
            }
            Err(Failure::Silent(cause)) => Err(GatewayError(cause)),
        }
    }
}
