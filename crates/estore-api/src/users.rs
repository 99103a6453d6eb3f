//! What UserService does for its neighbours: it alone knows addresses.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
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

/// UserService in another process.
#[derive(Debug, Clone)]
pub struct UsersClient(pub Neighbour);

#[async_trait]
impl UsersApi for UsersClient {
    async fn notify(&self, notices: Vec<OrderNotice>) -> Result<(), CallError> {
        self.0.call(NOTICES_ROUTE, &notices).await
    }
}
