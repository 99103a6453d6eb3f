//! Events of other services on their way to webhooks, which PaymentService delivers.
//!
//! A service writes an event to its table `event_outbox` in the statement of the change; [`relay`] hands it on, at least
//! once and in the order of its subject.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use estore_kit::db::{Db, DbError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::neighbour::{CallError, Neighbour};

const READ: &str = include_str!("../queries/read_event_outbox.sql");
const DROP: &str = include_str!("../queries/drop_event_outbox.sql");
/// Events that one call hands on.
pub const EVENTS_MAX: usize = 500;
/// How often a service looks for events to tell of.
const RELAY_EVERY: Duration = Duration::from_secs(1);
/// How long it waits after a failure.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

/// Something that happened in a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// Its id, the same however often it is told.
    pub id: Uuid,
    /// What happened: `user.verified` or `product.low_stock`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it happened to, such as `user/7`: events of one subject stay in order.
    pub subject: String,
    /// When.
    pub occurred_at: Timestamp,
    /// What there is to tell.
    pub data: Value,
}

/// What PaymentService does with the events of its neighbours.
#[async_trait]
pub trait EventsApi: Send + Sync {
    /// Has them delivered to whoever asked for them; one told before is not told again.
    async fn publish(&self, events: Vec<ServiceEvent>) -> Result<(), CallError>;
}

/// The internal route, a `POST` of the batch as JSON.
pub const ROUTE: &str = "/internal/v1/events";

/// PaymentService in another process.
#[derive(Debug, Clone)]
pub struct EventsClient(pub Neighbour);

#[async_trait]
impl EventsApi for EventsClient {
    async fn publish(&self, events: Vec<ServiceEvent>) -> Result<(), CallError> {
        self.0.call(ROUTE, &events).await
    }
}

/// Why a batch stays in the outbox for now.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Hands the events of a service's outbox on until `shutdown`.
pub async fn relay(db: &Db, events: &Arc<dyn EventsApi>, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        let pause = match hand_on(db, events).await {
            Ok(EVENTS_MAX) => continue,
            Ok(_) => RELAY_EVERY,
            Err(error) => {
                tracing::warn!(%error, "events stay in the outbox for now");
                FAILURE_PAUSE
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

async fn hand_on(db: &Db, events: &Arc<dyn EventsApi>) -> Result<usize, RelayError> {
    let rows = db.rows(READ, &[&i64::try_from(EVENTS_MAX).unwrap_or(i64::MAX)]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let event = |row: &tokio_postgres::Row| ServiceEvent {
        id: row.get("event_id"),
        kind: row.get("type"),
        subject: row.get("subject"),
        occurred_at: row.get("created_at"),
        data: row.get("data"),
    };
    events.publish(rows.iter().map(event).collect()).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
    db.execute(DROP, &[&ids]).await?;
    Ok(rows.len())
}
