//! A receiver of webhooks, over real sockets, that behaves as a test tells it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::net::TcpListener;

/// What a receiver does with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    Takes,
    Refuses,
    /// Refuses the first of each message, then takes it.
    RefusesOnce,
    NeverAnswers,
    /// Sends the caller to another receiver.
    Redirects(u16),
    /// An answer without end.
    Floods,
    /// Wants to be left alone for so many seconds.
    Busy(u32),
    /// There is no such receiver any more.
    Gone,
}

/// What came.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) json: Value,
    pub(super) at: Instant,
}

impl Message {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(super) fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap()
    }

    pub(super) fn order(&self) -> i64 {
        self.json["data"]["id"].as_i64().unwrap()
    }

    /// Checks the signature as the specification of Standard Webhooks says, from the secret alone.
    pub(super) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut signed = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).into_bytes();
        signed.extend_from_slice(&self.body);
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
        // Several, where a secret is being changed: one that fits is enough.
        self.header("webhook-signature").split(' ').any(|signature| {
            let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
            aws_lc_rs::hmac::verify(&key, &signed, &signature).is_ok()
        })
    }
}

struct Room {
    manners: Mutex<Manners>,
    messages: Mutex<Vec<Message>>,
}

/// A receiver on a port of its own.
pub(super) struct Receiver {
    room: Arc<Room>,
    pub(super) port: u16,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(room): State<Arc<Room>>, headers: HeaderMap, body: Bytes) -> Response {
    let json = serde_json::from_slice(&body).unwrap_or_default();
    let message = Message { headers, body, json, at: Instant::now() };
    let manners = *room.manners.lock().unwrap();
    let before = {
        let mut messages = room.messages.lock().unwrap();
        let same = messages.iter().filter(|one| one.headers.get("webhook-id") == message.headers.get("webhook-id"));
        let before = same.count();
        messages.push(message);
        before
    };
    match manners {
        Manners::Takes => StatusCode::NO_CONTENT.into_response(),
        Manners::RefusesOnce if before > 0 => StatusCode::OK.into_response(),
        Manners::Refuses | Manners::RefusesOnce => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Manners::NeverAnswers => std::future::pending().await,
        Manners::Busy(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", seconds.to_string())]).into_response()
        }
        Manners::Gone => StatusCode::GONE.into_response(),
        Manners::Redirects(port) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", format!("http://127.0.0.1:{port}/inner"))]).into_response()
        }
        Manners::Floods => {
            let piece = Bytes::from_static(&[b'x'; 65_536]);
            let endless = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
            Body::from_stream(endless).into_response()
        }
    }
}

impl Receiver {
    pub(super) async fn start(manners: Manners) -> Self {
        let room = Arc::new(Room { manners: Mutex::new(manners), messages: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&room));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { room, port, serving }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(super) fn behave(&self, manners: Manners) {
        *self.room.manners.lock().unwrap() = manners;
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.room.messages.lock().unwrap().clone()
    }

    /// What came, once it is at least so much.
    #[track_caller]
    pub(super) fn wait_for(&self, count: usize) -> impl Future<Output = Vec<Message>> {
        let from = std::panic::Location::caller();
        async move {
            let begun = Instant::now();
            loop {
                let messages = self.messages();
                if messages.len() >= count {
                    return messages;
                }
                let kinds: Vec<&str> = messages.iter().map(Message::kind).collect();
                assert!(begun.elapsed() < Duration::from_secs(15), "{from}: {count} wanted, {kinds:?} came");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
