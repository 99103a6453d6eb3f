//! A line to localstripe that fails when told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

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
    /// Every so many-th request goes wrong, each time otherwise; never where it is 0.
    every: AtomicU32,
    requests: AtomicU32,
    /// What was answered under idempotency keys, which localstripe does not know: Stripe repeats its answer.
    answered: tokio::sync::Mutex<Option<HashMap<String, (StatusCode, Bytes)>>>,
}

/// What goes wrong in turn on a bad line.
const IN_TURN: [Fault; 6] =
    [Fault::LoseAnswer, Fault::Repeat, Fault::CutAnswer, Fault::LoseRequest, Fault::Delay(100), Fault::Busy];

impl Line {
    pub(super) async fn to(target: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let state = Arc::new(LineState {
            target: target.to_owned(),
            http,
            fault: Mutex::new(None),
            every: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            answered: tokio::sync::Mutex::new(None),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    /// From now on one request of so many goes wrong, each time otherwise; none where it is 0.
    pub(super) fn fail_one_in(&self, nth: u32) {
        self.state.every.store(nth, SeqCst);
    }

    /// From now on the same answer is given for the same idempotency key.
    pub(super) async fn repeat_answers(&self) {
        *self.state.answered.lock().await = Some(HashMap::new());
    }

    /// The next `times` requests whose method and path hold `word` go wrong.
    pub(super) fn fail(&self, word: &'static str, fault: Fault, times: u32) {
        *self.state.fault.lock().unwrap() = Some((word, fault, times));
    }
}

impl LineState {
    fn fault_of(&self, request: &str) -> Option<Fault> {
        let (nth, every) = (self.requests.fetch_add(1, SeqCst), self.every.load(SeqCst));
        // Spread without a period: one that fits the requests of a try would cut each try at the same place, for ever.
        if let Some(0) = (nth.wrapping_mul(2_654_435_769) >> 8).checked_rem(every) {
            return Some(IN_TURN[usize::try_from(nth / every).unwrap() % IN_TURN.len()]);
        }
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
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    // One at a time where keys count, so that none is worked on twice; else all at once.
    let mut answered = Some(line.answered.lock().await).filter(|answered| answered.is_some());
    if let Some(known) = answered.as_ref().and_then(|all| all.as_ref()?.get(key.as_ref()?)) {
        return status(known.0, Body::from(known.1.clone()));
    }
    let (mut code, mut bytes) = (StatusCode::OK, Bytes::new());
    for _ in 0..if fault == Some(Fault::Repeat) { 2 } else { 1 } {
        let mut request = line.http.request(method.clone(), format!("{}{uri}", line.target)).body(body.clone());
        for name in ["authorization", "content-type", "idempotency-key"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value.as_bytes());
            }
        }
        // localstripe ends connections when it likes; that is one more line that broke.
        let Ok(answer) = request.send().await else { return broken(Bytes::new()) };
        code = answer.status();
        let Ok(answer) = answer.bytes().await else { return broken(Bytes::new()) };
        bytes = answer;
    }
    if let Some((all, key)) = answered.as_mut().and_then(|all| all.as_mut()).zip(key) {
        all.insert(key, (code, bytes.clone()));
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
