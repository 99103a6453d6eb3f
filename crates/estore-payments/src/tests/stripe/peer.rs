//! localstripe in a process of its own, and a line to it that fails when told to.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

const START_TIME_MAX: Duration = Duration::from_secs(20);

/// localstripe; it ends with this value.
pub(super) struct LocalStripe {
    process: Child,
    pub(super) url: String,
    http: reqwest::Client,
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl LocalStripe {
    /// `None`, saying so, where it is not installed.
    pub(super) async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("ESTORE_TEST_LOCALSTRIPE") else {
            eprintln!("skipped: ESTORE_TEST_LOCALSTRIPE does not name localstripe; script/test installs it.");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["--from-scratch", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("localstripe starts");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let peer = Self { process, url: format!("http://127.0.0.1:{port}"), http };
        let begun = Instant::now();
        while peer.http.get(&peer.url).send().await.is_err() {
            assert!(begun.elapsed() < START_TIME_MAX, "localstripe does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(peer)
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth("sk_test_12345").json(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }

    /// Everything in one of its lists.
    pub(super) async fn list(&self, what: &str) -> Vec<Value> {
        let url = format!("{}/v1/{what}?limit=1000", self.url);
        let answer: Value = self.http.get(url).bearer_auth("sk_test_12345").send().await.unwrap().json().await.unwrap();
        answer["data"].as_array().unwrap().clone()
    }

    /// A card as the buyer's browser would give it to Stripe: the payment method's id.
    pub(super) async fn method(&self, number: &str) -> String {
        let card = json!({"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"});
        let made = self.post("/v1/payment_methods", &json!({"type": "card", "card": card})).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Cents that were taken and not given back, by its own books.
    pub(super) async fn balance(&self) -> i64 {
        let charges = self.list("charges").await;
        let taken = charges.iter().filter(|charge| charge["captured"] == true && charge["status"] == "succeeded");
        let refunds = self.list("refunds").await;
        let sum = |all: Vec<&Value>| all.iter().map(|one| one["amount"].as_i64().unwrap()).sum::<i64>();
        sum(taken.collect()) - sum(refunds.iter().collect())
    }
}

/// What goes wrong with the next requests whose path holds the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The request does not arrive.
    LoseRequest,
    /// The request arrives, and the connection breaks instead of an answer.
    LoseAnswer,
    /// The answer breaks off half way.
    CutAnswer,
    /// The request arrives twice.
    Repeat,
    /// The answer comes after so many milliseconds.
    Delay(u64),
    /// It is too busy, and says so.
    Busy,
}

/// A line to localstripe.
pub(super) struct Line {
    pub(super) url: String,
    state: Arc<LineState>,
}

struct LineState {
    target: String,
    http: reqwest::Client,
    fault: Mutex<Option<(&'static str, Fault, u32)>>,
}

impl Line {
    pub(super) async fn to(target: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let state = Arc::new(LineState { target: target.to_owned(), http, fault: Mutex::new(None) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    /// The next `times` requests whose method and path hold `word` go wrong.
    pub(super) fn fail(&self, word: &'static str, fault: Fault, times: u32) {
        *self.state.fault.lock().unwrap() = Some((word, fault, times));
    }
}

impl LineState {
    fn fault_of(&self, request: &str) -> Option<Fault> {
        let mut set = self.fault.lock().unwrap();
        let (word, fault, times) = set.as_mut()?;
        if *times == 0 || !request.contains(*word) {
            return None;
        }
        *times -= 1;
        Some(*fault)
    }
}

async fn forward(
    State(line): State<Arc<LineState>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = line.fault_of(&format!("{method} {uri}"));
    match fault {
        Some(Fault::LoseRequest) => return broken(Bytes::new()),
        Some(Fault::Busy) => return status(StatusCode::TOO_MANY_REQUESTS, Body::from("{}")),
        _ => {}
    }
    let (mut code, mut bytes) = (StatusCode::OK, Bytes::new());
    for _ in 0..if fault == Some(Fault::Repeat) { 2 } else { 1 } {
        let mut request = line.http.request(method.clone(), format!("{}{uri}", line.target)).body(body.clone());
        for name in ["authorization", "content-type", "idempotency-key"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value.as_bytes());
            }
        }
        let answer = request.send().await.unwrap();
        code = answer.status();
        bytes = answer.bytes().await.unwrap();
    }
    match fault {
        Some(Fault::LoseAnswer) => broken(Bytes::new()),
        Some(Fault::CutAnswer) => broken(bytes.slice(..bytes.len() / 2)),
        Some(Fault::Delay(milliseconds)) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            status(code, Body::from(bytes))
        }
        _ => status(code, Body::from(bytes)),
    }
}

fn status(code: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response
}

/// An answer that ends in an error after these bytes.
fn broken(bytes: Bytes) -> Response {
    let pieces = [Ok(bytes), Err(std::io::Error::other("the line broke"))];
    Response::new(Body::from_stream(futures_util::stream::iter(pieces)))
}
