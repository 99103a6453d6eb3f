//! Calls to Stripe's HTTP API: forms out, JSON in, every call bounded in time.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use url::form_urlencoded::Serializer;

use super::config::Secret;
use super::wire::{Fault, FaultBody};

/// The version of Stripe's API that this speaks.
const VERSION: &str = "2024-06-20";
/// How long connecting may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// How long a call may take that asks no bank.
pub(super) const CALL_TIME_MAX: Duration = Duration::from_secs(4);
/// How long a call may take that does.
pub(super) const BANK_TIME_MAX: Duration = Duration::from_secs(8);

/// Why a call brought nothing.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Stripe read the request and says no.
    Refused { status: u16, fault: Fault },
    /// No answer, or one that says to ask again: done or not.
    Silent(String),
}

impl Failure {
    /// For the log.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Refused { status, fault } => format!("{status} {}", fault.text()),
            Self::Silent(cause) => cause.clone(),
        }
    }
}

/// One POST.
pub(super) struct Post<'a> {
    pub(super) path: &'a str,
    pub(super) form: &'a [(&'a str, &'a str)],
    /// Stripe does the work once for it and repeats its answer, for a day at least.
    pub(super) idempotency_key: Option<String>,
    pub(super) time_max: Duration,
}

/// The account that is asked.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base_url: String,
    key: Secret,
}

impl Client {
    pub(super) fn new(base_url: &str, key: Secret) -> Result<Self, String> {
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT_TIME_MAX).redirect(Policy::none());
        if base_url.starts_with("http://") {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| error.to_string())?;
        Ok(Self { http, base_url: base_url.trim_end_matches('/').to_owned(), key })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Failure> {
        let query = form(query);
        let separator = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{separator}{query}", self.base_url);
        self.read(self.http.request(Method::GET, url).timeout(CALL_TIME_MAX)).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, post: Post<'_>) -> Result<T, Failure> {
        let mut request = self
            .http
            .request(Method::POST, format!("{}{}", self.base_url, post.path))
            .header("content-type", "application/x-www-form-urlencoded")
            .timeout(post.time_max)
            .body(form(post.form));
        if let Some(key) = post.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.read(request).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let url = format!("{}{path}", self.base_url);
        self.read(self.http.request(Method::DELETE, url).timeout(CALL_TIME_MAX)).await
    }

    async fn read<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Failure> {
        let silent = |error: reqwest::Error| Failure::Silent(error.without_url().to_string());
        let request = request.bearer_auth(self.key.reveal()).header("stripe-version", VERSION);
        let answer = request.send().await.map_err(silent)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(silent)?;
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| Failure::Silent(format!("{status}, and not to be read: {error}")));
        }
        let fault = serde_json::from_slice::<FaultBody>(&bytes).unwrap_or_default().error;
        if is_final(status, &fault) {
            return Err(Failure::Refused { status: status.as_u16(), fault });
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            tracing::error!(%status, "Stripe does not accept the key in payments.stripe.api_key");
        }
        Err(Failure::Silent(format!("{status} {}", fault.text())))
    }
}

/// Whether the answer says that nothing was done and asking again is of no use.
fn is_final(status: StatusCode, fault: &Fault) -> bool {
    let clear = matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND);
    clear && fault.kind.as_deref() != Some("idempotency_error")
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::{form, is_final};
    use crate::gateway::stripe::wire::Fault;

    #[test]
    fn forms_carry_nested_keys_and_odd_text() {
        assert_eq!(form(&[("metadata[a]", "x&y=1")]), "metadata%5Ba%5D=x%26y%3D1");
    }

    #[test]
    fn only_clear_answers_are_final() {
        let fault = Fault::default();
        for status in [400, 402, 404] {
            assert!(is_final(StatusCode::from_u16(status).unwrap(), &fault));
        }
        for status in [401, 403, 409, 429, 500, 502, 503] {
            assert!(!is_final(StatusCode::from_u16(status).unwrap(), &fault));
        }
        let reused = Fault { kind: Some("idempotency_error".to_owned()), ..fault };
        assert!(!is_final(StatusCode::BAD_REQUEST, &reused));
    }
}
