//! Who buys: sessions that are opened on first use and renewed before they end, each with a card.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::api::{Api, Call};
use crate::failure::Failure;

/// Renew a session when so little of it is left.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// What a log-in needs.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) email: String,
    pub(crate) password: String,
}

#[derive(Debug, Clone)]
struct Session {
    access: Arc<str>,
    refresh: String,
    renew_at: Instant,
    card: Option<i64>,
}

/// All accounts that take part; each logs in once, however many ask for it at once.
#[derive(Debug)]
pub(crate) struct Accounts {
    api: Arc<Api>,
    credentials: Vec<Credentials>,
    sessions: Vec<Mutex<Option<Session>>>,
    log_ins: AtomicU64,
}

impl Accounts {
    /// These accounts; they are known by their index.
    pub(crate) fn new(api: Arc<Api>, credentials: Vec<Credentials>) -> Self {
        let sessions = credentials.iter().map(|_| Mutex::new(None)).collect();
        Self { api, credentials, sessions, log_ins: AtomicU64::new(0) }
    }

    /// How many log-ins there were.
    pub(crate) fn log_ins(&self) -> u64 {
        self.log_ins.load(Ordering::Relaxed)
    }

    /// An access token of this account.
    pub(crate) async fn token(&self, account: usize) -> Result<Arc<str>, Failure> {
        let mut slot = self.sessions[account].lock().await;
        Ok(self.fresh(account, &mut slot).await?.access.clone())
    }

    /// An access token of this account and its card.
    pub(crate) async fn payer(&self, account: usize) -> Result<(Arc<str>, i64), Failure> {
        let mut slot = self.sessions[account].lock().await;
        let session = self.fresh(account, &mut slot).await?;
        let card = match session.card {
            Some(card) => card,
            None => *session.card.insert(register_card(&self.api, &session.access).await?),
        };
        Ok((session.access.clone(), card))
    }

    /// Drops a token that was refused; the next call logs in again.
    pub(crate) async fn forget(&self, account: usize, refused: &str) {
        let mut slot = self.sessions[account].lock().await;
        if slot.as_ref().is_some_and(|session| *session.access == *refused) {
            *slot = None;
        }
    }

    async fn fresh<'a>(&self, account: usize, slot: &'a mut Option<Session>) -> Result<&'a mut Session, Failure> {
        let renewed = match slot.take() {
            Some(session) if session.renew_at > Instant::now() => session,
            Some(old) => match self.renew(&old).await? {
                Some(session) => session,
                None => Session { card: old.card, ..self.log_in(account).await? },
            },
            None => self.log_in(account).await?,
        };
        Ok(slot.insert(renewed))
    }

    /// A renewed session, or `None` when the shop wants a new log-in.
    async fn renew(&self, old: &Session) -> Result<Option<Session>, Failure> {
        let body = json!({"refresh_token": old.refresh});
        let answer = self.api.ask(Call::post("/v1/tokens/refresh", &body)).await?;
        if answer.status != StatusCode::OK {
            return Ok(None);
        }
        session_of(&answer.body, old.card).map(Some)
    }

    async fn log_in(&self, account: usize) -> Result<Session, Failure> {
        let Credentials { email, password } = &self.credentials[account];
        self.log_ins.fetch_add(1, Ordering::Relaxed);
        let session = log_in(&self.api, email, password).await?;
        session.ok_or_else(|| Failure::new(format!("{email} cannot log in")))
    }
}

/// Whether this account exists and the password is its own.
pub(crate) async fn can_log_in(api: &Api, credentials: &Credentials) -> Result<bool, Failure> {
    Ok(log_in(api, &credentials.email, &credentials.password).await?.is_some())
}

async fn log_in(api: &Api, email: &str, password: &str) -> Result<Option<Session>, Failure> {
    let body = json!({"email": email, "password": password});
    let answer = api.ask(Call::post("/v1/tokens", &body)).await?;
    if answer.status == StatusCode::UNAUTHORIZED {
        return Ok(None);
    }
    let what = format!("log-in of {email}");
    session_of(&answer.expect(StatusCode::OK, &what)?, None).map(Some)
}

fn session_of(body: &Value, card: Option<i64>) -> Result<Session, Failure> {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let lifetime = body["expires_in"].as_u64().map(Duration::from_secs);
    let (Some(access), Some(refresh), Some(lifetime)) = (text("access_token"), text("refresh_token"), lifetime) else {
        return Err(Failure::new("a log-in was answered without access_token, refresh_token or expires_in"));
    };
    let renew_at = Instant::now() + lifetime.saturating_sub(RENEW_BEFORE);
    Ok(Session { access: access.into(), refresh, renew_at, card })
}

async fn register_card(api: &Api, token: &str) -> Result<i64, Failure> {
    let details = json!({"card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2040, "cvc": "123"});
    let body = json!({"payment_type": "card", "details": details});
    let answer = api.ask(Call::post("/v1/payment-methods", &body).by(token)).await?;
    let known = if answer.status == StatusCode::OK { StatusCode::OK } else { StatusCode::CREATED };
    let body = answer.expect(known, "POST /v1/payment-methods")?;
    body["id"].as_i64().ok_or_else(|| Failure::new(format!("a payment method without an id: {body}")))
}
