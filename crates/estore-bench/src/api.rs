//! The HTTP client: one call repeated until the shop has answered it for good.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::failure::Failure;

/// How long a call is repeated while the shop is away or busy.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long one answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// The first pause before a repeat; each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    /// The access token, if one is needed.
    pub(crate) token: Option<&'a str>,
    /// The Idempotency-Key, if one is needed.
    pub(crate) key: Option<&'a str>,
    pub(crate) body: Option<&'a Value>,
}

impl<'a> Call<'a> {
    /// A GET of this path.
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, token: None, key: None, body: None }
    }

    /// A POST of this body.
    pub(crate) fn post(path: &'a str, body: &'a Value) -> Self {
        Self { method: Method::POST, path, token: None, key: None, body: Some(body) }
    }

    /// As the holder of this token.
    pub(crate) fn by(mut self, token: &'a str) -> Self {
        self.token = Some(token);
        self
    }

    /// Once only, known by this key.
    pub(crate) fn once(mut self, key: &'a str) -> Self {
        self.key = Some(key);
        self
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Whether it is the stored answer of an earlier call with the same key.
    pub(crate) replayed: bool,
    pub(crate) body: Value,
    retry_after: Option<Duration>,
}

impl Answer {
    /// The body of an answer with this status; anything else is a failure that shows the answer.
    pub(crate) fn expect(self, status: StatusCode, what: &str) -> Result<Value, Failure> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(Failure::new(format!("{what}: expected {status}, got {}: {}", self.status, self.body)))
    }

    /// Whether asking again may bring another answer.
    fn is_passing(&self) -> bool {
        let in_progress = self.status == StatusCode::CONFLICT && self.retry_after.is_some();
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS || in_progress
    }
}

/// The shop over HTTP.
#[derive(Debug)]
pub(crate) struct Api {
    client: reqwest::Client,
    base: String,
    repeats: AtomicU64,
}

impl Api {
    /// The shop at this URL.
    pub(crate) fn new(base: &str) -> Result<Self, Failure> {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIME_MAX).build()?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), repeats: AtomicU64::new(0) })
    }

    /// How often a call had to be repeated so far.
    pub(crate) fn repeats(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    /// The answer to `call`, asked again while the shop is away (killed, say), busy or still working on it.
    pub(crate) async fn ask(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let began = Instant::now();
        let mut pause = PAUSE_MIN;
        loop {
            let tried = self.send(&call).await;
            let out_of_patience = began.elapsed() > PATIENCE;
            let wait = match tried {
                Ok(answer) if !answer.is_passing() || out_of_patience => return Ok(answer),
                Ok(answer) => answer.retry_after.filter(|_| answer.status != StatusCode::CONFLICT),
                Err(error) if out_of_patience => {
                    return Err(Failure::from(error).while_doing(format!("{} {}", call.method, call.path)));
                }
                Err(_) => None,
            };
            self.repeats.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(wait.unwrap_or(pause)).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(call.method.clone(), format!("{}{}", self.base, call.path));
        if let Some(token) = call.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = call.body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await?;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Answer { status, replayed: is_replayed(&headers), body, retry_after: retry_after(&headers) })
    }

    /// Posts a CSV file, once: an import is not repeated blindly.
    pub(crate) async fn post_csv(&self, path: &str, token: &str, csv: Vec<u8>) -> Result<Value, Failure> {
        let answer = self
            .client
            .post(format!("{}{path}", self.base))
            .timeout(Duration::from_secs(600))
            .bearer_auth(token)
            .header("Content-Type", "text/csv")
            .body(csv)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        if status.is_success() {
            return Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)));
        }
        Err(Failure::new(format!("POST {path} answered {status}: {}", text.chars().take(2_000).collect::<String>())))
    }

    /// Gets a file.
    pub(crate) async fn get_bytes(&self, path: &str, token: &str) -> Result<Vec<u8>, Failure> {
        let url = format!("{}{path}", self.base);
        let answer = self.client.get(url).timeout(Duration::from_secs(600)).bearer_auth(token).send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        Err(Failure::new(format!("GET {path} answered {status}: {}", String::from_utf8_lossy(&bytes))))
    }
}

fn is_replayed(headers: &HeaderMap) -> bool {
    headers.get("Idempotent-Replayed").is_some_and(|value| value == "true")
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
