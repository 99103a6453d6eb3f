//! What UserService does for its neighbours: it alone knows addresses.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use estore_kit::auth::{ApiKey, ApiKeys, ENDED_SESSIONS_MAX, EndedSessions, EndedSessionsQuery, Revocations};
use estore_kit::problem::Problem;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::neighbour::{CallError, Neighbour};

/// What a buyer is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Orders were placed and charged.
    Paid,
    /// An order is on its way.
    Shipped,
    /// Money of an order went back.
    Refunded,
}

impl NoticeKind {
    /// The word in databases and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Refunded => "refunded",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Paid, Self::Shipped, Self::Refunded].into_iter().find(|kind| kind.word() == word)
    }
}

/// Something that a buyer is told by mail, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderNotice {
    /// What it is about; one told before is not told again.
    pub event_id: Uuid,
    /// Who is told.
    pub user_id: i32,
    /// What of.
    pub kind: NoticeKind,
    /// The orders, at least one.
    pub orders: Vec<i32>,
    /// Cents: what was paid, or what went back.
    pub amount: i64,
    /// Three letters of ISO 4217.
    pub currency: String,
}

/// What a neighbour may ask of UserService.
#[async_trait]
pub trait UsersApi: Send + Sync {
    /// Writes a letter for each notice whose user has an account, each once.
    async fn notify(&self, notices: Vec<OrderNotice>) -> Result<(), CallError>;
}

/// The internal route, a `POST` of the batch as JSON.
pub const NOTICES_ROUTE: &str = "/internal/v1/notices";

/// The internal route that knows API keys, a `POST` of the hash of one as JSON.
pub const API_KEY_ROUTE: &str = "/internal/v1/api-keys/find";

/// The internal route that names ended sessions, a `POST` of an [`EndedSessionsQuery`].
pub const ENDED_SESSIONS_ROUTE: &str = "/internal/v1/sessions/ended";
/// How often another process is asked for sessions that have ended.
const ASK_EVERY: Duration = Duration::from_millis(400);

/// UserService in another process.
#[derive(Debug, Clone)]
pub struct UsersClient(pub Neighbour);

#[async_trait]
impl UsersApi for UsersClient {
    async fn notify(&self, notices: Vec<OrderNotice>) -> Result<(), CallError> {
        self.0.call(NOTICES_ROUTE, &notices).await
    }
}

#[async_trait]
impl ApiKeys for UsersClient {
    async fn find(&self, hash: &str) -> Result<Option<ApiKey>, Problem> {
        Ok(self.0.call(API_KEY_ROUTE, &hash).await?)
    }
}

/// Keeps `revocations` up with UserService in another process until `shutdown`; while that one is away, the last list stays.
pub async fn follow_ended_sessions(users: UsersClient, revocations: Arc<Revocations>, shutdown: CancellationToken) {
    let mut query = EndedSessionsQuery { source: Uuid::nil(), after: 0 };
    let mut is_away = false;
    while !shutdown.is_cancelled() {
        let told: Result<EndedSessions, CallError> = users.0.call(ENDED_SESSIONS_ROUTE, &query).await;
        let mut is_all = true;
        match told {
            Ok(told) => {
                is_all = told.sessions.len() < ENDED_SESSIONS_MAX;
                for session in &told.sessions {
                    revocations.revoke(&session.id, Duration::from_secs(session.seconds.into()));
                }
                query = EndedSessionsQuery { source: told.source, after: told.last };
                if told.is_current && is_all {
                    revocations.mark_current();
                }
                is_away = false;
            }
            // Once: what is not heard of is shown by the health route as long as it lasts.
            Err(error) if !is_away => {
                tracing::warn!(%error, "ended sessions cannot be heard of; the last list is heeded");
                is_away = true;
            }
            Err(_) => {}
        }
        if is_all {
            tokio::select! {
                () = sleep(ASK_EVERY) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }
}
