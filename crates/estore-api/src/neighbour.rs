//! Calls to a neighbour service over HTTP.

use estore_kit::problem::Problem;
use estore_kit::request;
use estore_kit::service_auth::ServiceSecret;
use estore_kit::service_client::ServiceClient;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a neighbour may take to answer one batch, in seconds.
pub const CALL_SECONDS_MAX: u64 = 10;

/// Why a neighbour gave no answer. The work may have been done or not: every call is safe to repeat.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{service} did not answer: {cause}")]
pub struct CallError {
    /// The service that was called.
    pub service: &'static str,
    /// What went wrong, for the log.
    pub cause: String,
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        tracing::warn!(%error, request_id = %request::current_id(), "neighbour call failed");
        Self::unavailable("A part of the shop does not answer. Try again shortly.")
    }
}

/// One neighbour service: its address and our credentials.
#[derive(Debug, Clone)]
pub struct Neighbour {
    client: ServiceClient,
    base_url: String,
    caller: &'static str,
    service: &'static str,
    secret: ServiceSecret,
}

impl Neighbour {
    /// The service `service` at `base_url`, called by the service `caller`.
    #[must_use]
    pub fn new(
        base_url: &str,
        caller: &'static str,
        service: &'static str,
        secret: ServiceSecret,
        client: ServiceClient,
    ) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { client, base_url, caller, service, secret }
    }

    /// Posts `body` to the internal route `path` and reads the answer.
    pub async fn call<B: Serialize + Sync, A: DeserializeOwned>(&self, path: &str, body: &B) -> Result<A, CallError> {
        let failed = |cause: String| CallError { service: self.service, cause };
        let token = self.secret.token(self.caller, self.service).map_err(|problem| failed(problem.detail))?;
        let answer = self
            .client
            .now()
            .post(format!("{}{path}", self.base_url))
            .bearer_auth(token)
            .header(request::X_REQUEST_ID, request::current_id())
            .json(body)
            .send()
            .await
            .map_err(|error| failed(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(failed(format!("{path} answered {}", answer.status())));
        }
        answer.json().await.map_err(|error| failed(error.to_string()))
    }
}
