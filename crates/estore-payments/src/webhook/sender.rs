//! Posts deliveries to strangers: bounded in time and size, following nothing, reaching nobody inside.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use estore_kit::secret::Secret;
use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use url::Host;

use super::DueDelivery;
use super::address::{PublicResolver, is_public};
use super::signing::SigningKey;
use crate::limits::{
    ENDPOINT_URL_CHARACTERS_MAX, WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_CONNECT_TIME_MAX, WEBHOOK_IDLE_CONNECTIONS_MAX,
    WEBHOOK_RETRY_AFTER_SECONDS_MAX, WEBHOOK_TIME_MAX,
};

/// Posts deliveries.
pub(crate) struct Sender {
    client: Client,
    key: SigningKey,
    allow_private: bool,
}

/// Why an attempt did not deliver.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(crate) struct SendError {
    /// The status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// For the shop's staff.
    pub(crate) cause: String,
    /// How long the receiver wants to be left alone, in seconds.
    pub(crate) retry_after: Option<i64>,
}

impl Sender {
    /// With `allow_private`, plain HTTP and addresses inside are reached too.
    pub(crate) fn new(key: SigningKey, allow_private: bool) -> Result<Self, String> {
        let mut client = Client::builder()
            .timeout(WEBHOOK_TIME_MAX)
            .connect_timeout(WEBHOOK_CONNECT_TIME_MAX)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(WEBHOOK_IDLE_CONNECTIONS_MAX)
            .user_agent(concat!("EStore/", env!("CARGO_PKG_VERSION")));
        if !allow_private {
            client = client.https_only(true).dns_resolver(Arc::new(PublicResolver::system()));
        }
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self { client, key, allow_private })
    }

    /// A secret of an endpoint, by its version.
    pub(crate) fn secret(&self, endpoint: uuid::Uuid, version: i32) -> Secret {
        self.key.secret(endpoint, version)
    }

    /// The address as it is kept, or the rule that it breaks: a word and a sentence.
    pub(crate) fn accept(&self, text: &str) -> Result<String, (&'static str, &'static str)> {
        let url =
            Url::parse(text).map_err(|_malformed| ("malformed", "must be a URL such as https://example.com/hook"))?;
        let is_web = url.scheme() == "https" || (self.allow_private && url.scheme() == "http");
        if !is_web {
            return Err(("not_https", "must begin with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(("credentials", "must hold no user name or password; deliveries are signed"));
        }
        if url.fragment().is_some() {
            return Err(("fragment", "must have no part after #"));
        }
        if url.as_str().chars().count() > ENDPOINT_URL_CHARACTERS_MAX {
            return Err(("length", "must have at most 2048 characters"));
        }
        if !self.allow_private && is_inner(&url) {
            return Err(("private_address", "must be an address on the internet, not inside this network"));
        }
        Ok(url.into())
    }

    /// Posts one delivery; `Ok` with the status where the receiver took it.
    pub(crate) async fn send(&self, due: &DueDelivery) -> Result<u16, SendError> {
        // Looked at again: what was let in under other settings does not stay let in.
        let url = self.accept(&due.url).map_err(|(_, rule)| failed(None, format!("the URL {rule}")))?;
        let (message_id, timestamp) = (due.event_id.to_string(), Timestamp::now().as_second());
        let signed = format!("{message_id}.{timestamp}.{}", due.body);
        let signature = self.key.signature(due.endpoint_id, due.secret_versions.clone(), &signed);
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", message_id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
            .body(due.body.clone())
            .send()
            .await
            .map_err(|error| failed(None, explained(&error)))?;
        let status = answer.status();
        let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = asked.and_then(|text| seconds_asked(text, Timestamp::now()));
        drain(answer).await;
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let hint = if status.is_redirection() { "; redirects are not followed" } else { "" };
        let cause = format!("the receiver answered {status}{hint}");
        Err(SendError { retry_after, ..failed(Some(status.as_u16()), cause) })
    }
}

fn failed(status: Option<u16>, cause: String) -> SendError {
    SendError { status, cause, retry_after: None }
}

/// What a `Retry-After` asks for: seconds, or a moment; at most [`WEBHOOK_RETRY_AFTER_SECONDS_MAX`].
fn seconds_asked(text: &str, now: Timestamp) -> Option<i64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if is_number {
        text.parse().unwrap_or(i64::MAX)
    } else {
        let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        moment.as_second().saturating_sub(now.as_second())
    };
    Some(seconds.clamp(0, WEBHOOK_RETRY_AFTER_SECONDS_MAX))
}

/// Names are looked at when they are resolved; numbers never are, so here.
fn is_inner(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => !is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_public(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost") || !name.contains('.')
        }
        None => true,
    }
}

/// Reads a short answer to its end, so that the connection serves again; of a long one no more than its beginning.
/// What it says does not matter, nor how it ends.
async fn drain(mut answer: Response) {
    let mut left = WEBHOOK_ANSWER_BYTES_MAX;
    while let Ok(Some(piece)) = answer.chunk().await {
        if piece.len() >= left {
            return;
        }
        left -= piece.len();
    }
}

/// The innermost cause says most: "connection refused", "operation timed out".
fn explained(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver did not answer in time".to_owned();
    }
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let what = if error.is_connect() { "cannot connect" } else { "the exchange broke" };
    format!("{what}: {innermost}")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Sender, SigningKey, explained, seconds_asked};

    #[test]
    fn a_receiver_may_ask_for_a_pause_and_not_for_any() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("999999999999999999999999", Some(21_600)),
            ("Sun, 22 Nov 2026 10:05:00 GMT", Some(300)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", Some(0)),
            ("Tue, 31 Dec 2999 23:59:59 GMT", Some(21_600)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(seconds_asked(text, now), seconds, "{text:?}");
        }
    }

    /// The last door, behind the look at the URL: what a name leads to is looked at when it is connected to.
    #[tokio::test]
    async fn nothing_connects_to_a_name_that_leads_inside() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sender = Sender::new(SigningKey::passing(), false).unwrap();
        let refused = sender.client.post(format!("https://localhost:{port}/")).send().await.unwrap_err();
        assert!(explained(&refused).contains("no address outside of this network"), "{refused:?}");
        let plain = sender.client.post(format!("http://localhost:{port}/")).send().await.unwrap_err();
        assert!(plain.is_builder() || plain.is_request() || plain.is_connect(), "{plain:?}");
        let numbered = sender.client.post(format!("http://127.0.0.1:{port}/")).send().await.unwrap_err();
        assert!(numbered.is_builder() || numbered.is_request(), "a number is not resolved: {numbered:?}");
        let knock = tokio::time::timeout(std::time::Duration::ZERO, listener.accept()).await;
        assert!(knock.is_err(), "{knock:?}");
    }

    #[test]
    fn only_addresses_on_the_internet_are_taken() {
        let sender = Sender::new(SigningKey::passing(), false).unwrap();
        for (url, code) in [
            ("nonsense", "malformed"),
            ("https://", "malformed"),
            ("ftp://example.com/", "not_https"),
            ("file:///etc/passwd", "not_https"),
            ("http://example.com/", "not_https"),
            ("https://u:p@example.com/", "credentials"),
            ("https://example.com/#x", "fragment"),
            ("https://localhost/", "private_address"),
            ("https://LOCALHOST./", "private_address"),
            ("https://a.localhost/", "private_address"),
            ("https://intranet/", "private_address"),
            ("https://127.0.0.1/", "private_address"),
            ("https://2130706433/", "private_address"),
            ("https://0x7f.1/", "private_address"),
            ("https://0177.0.0.1/", "private_address"),
            ("https://[::1]/", "private_address"),
            ("https://[::ffff:10.0.0.1]/", "private_address"),
            ("https://169.254.169.254/latest/meta-data", "private_address"),
        ] {
            assert_eq!(sender.accept(url).unwrap_err().0, code, "{url}");
        }
        assert_eq!(sender.accept("https://Example.com/hook?a=b").unwrap(), "https://example.com/hook?a=b");
        let within = Sender::new(SigningKey::passing(), true).unwrap();
        assert!(within.accept("http://127.0.0.1:1/").is_ok());
        assert_eq!(within.accept("ftp://127.0.0.1/").unwrap_err().0, "not_https");
    }
}
