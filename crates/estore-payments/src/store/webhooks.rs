//! Webhook deliveries.

use estore_api::events::ServiceEvent;
use estore_kit::crash;
use estore_kit::db::{self, Db, DbError};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::webhook_endpoints;
use crate::limits::{DELIVERIES_AT_A_TIME_MAX, REPLAY_ROWS_MAX, WEBHOOK_CLAIM_SECONDS};
use crate::webhook::{Attempt, DeliveryState, DueDelivery, WebhookDelivery};

const PUBLISH: &str = include_str!("../../queries/webhook_publish_events.sql");
const LIST_DELIVERIES: &str = include_str!("../../queries/webhook_list_deliveries.sql");
const REPLAY: &str = include_str!("../../queries/webhook_replay_deliveries.sql");
const CLAIM: &str = include_str!("../../queries/webhook_claim_deliveries.sql");
const SETTLE: &str = include_str!("../../queries/webhook_settle_deliveries.sql");
const TAKE_OVER: &str = include_str!("../../queries/webhook_take_over_deliveries.sql");
const ABANDON_FORGOTTEN: &str = include_str!("../../queries/webhook_abandon_forgotten.sql");
const PROMOTE: &str = include_str!("../../queries/webhook_promote_deliveries.sql");
const PROMOTE_FORGOTTEN: &str = include_str!("../../queries/webhook_promote_forgotten.sql");

/// A page of an endpoint's deliveries, newest first, before the id `before`.
pub(crate) async fn list_deliveries(
    db: &Db,
    endpoint_id: Uuid,
    state: Option<DeliveryState>,
    before: i64,
    rows_max: i64,
) -> Result<Vec<WebhookDelivery>, DbError> {
    let state = state.map(DeliveryState::word);
    db.rows(LIST_DELIVERIES, &[&endpoint_id, &before, &state, &rows_max]).await?.iter().map(delivery).collect()
}

/// Sends an ended delivery again, or a batch of the dead ones; answers how many. None of a deleted endpoint.
pub(crate) async fn replay(db: &Db, endpoint_id: Uuid, delivery: Option<i64>) -> Result<u64, DbError> {
    db.execute(REPLAY, &[&endpoint_id, &delivery, &REPLAY_ROWS_MAX]).await
}

/// Writes a delivery for each event of another service and subscribed endpoint, each once; answers how many.
pub(crate) async fn publish(db: &Db, events: &[ServiceEvent]) -> Result<u64, DbError> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    let subjects: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
    let times: Vec<String> = events.iter().map(|event| event.occurred_at.to_string()).collect();
    let data: Vec<&serde_json::Value> = events.iter().map(|event| &event.data).collect();
    db.execute(PUBLISH, &[&ids, &kinds, &subjects, &times, &data]).await
}

/// Takes deliveries that are due, leaving room for those under way: how many to which endpoint.
pub(crate) async fn claim(db: &Db, busy: &[(Uuid, i64)]) -> Result<Vec<DueDelivery>, DbError> {
    let (endpoints, counts): (Vec<Uuid>, Vec<i64>) = busy.iter().copied().unzip();
    let claim: [&(dyn ToSql + Sync); 4] = [&endpoints, &counts, &DELIVERIES_AT_A_TIME_MAX, &WEBHOOK_CLAIM_SECONDS];
    let due = |row: &Row| DueDelivery {
        id: row.get("id"),
        endpoint_id: row.get("endpoint_id"),
        event_id: row.get("event_id"),
        attempts: row.get("attempts"),
        url: row.get("url"),
        body: row.get("body"),
        secret_versions: row.get("oldest_secret_version")..=row.get("secret_version"),
    };
    Ok(db.rows(CLAIM, &claim).await?.iter().map(due).collect())
}

/// Writes down how attempts ended, and lets those go that waited for them.
pub(crate) async fn settle(db: &Db, attempts: &[Attempt]) -> Result<(), DbError> {
    let ids: Vec<i64> = attempts.iter().map(|one| one.delivery).collect();
    let counts: Vec<i16> = attempts.iter().map(|one| one.attempts).collect();
    let states: Vec<&str> = attempts.iter().map(|one| one.state.word()).collect();
    let statuses: Vec<Option<i16>> = attempts.iter().map(|one| one.status).collect();
    let errors: Vec<Option<&str>> = attempts.iter().map(|one| one.error.as_deref()).collect();
    let waits: Vec<i64> = attempts.iter().map(|one| one.wait_ms).collect();
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    // Endpoints before their deliveries, as everybody locks them.
    let gone: Vec<&(Uuid, String)> = attempts.iter().filter_map(|one| one.gone.as_ref()).collect();
    let closed = webhook_endpoints::close_gone(&transaction, &gone).await?;
    let settled = db::rows(&transaction, SETTLE, &[&ids, &counts, &states, &statuses, &errors, &waits]).await?;
    let ended: Vec<&Row> = settled.iter().filter(|row| row.get::<_, &str>("state") != "pending").collect();
    if !ended.is_empty() {
        let endpoints: Vec<Uuid> = ended.iter().map(|row| row.get("endpoint_id")).collect();
        let subjects: Vec<&str> = ended.iter().map(|row| row.get("subject")).collect();
        db::execute(&transaction, PROMOTE, &[&endpoints, &subjects]).await?;
    }
    webhook_endpoints::abandon_gone(&transaction, &closed).await?;
    crash::point("deliveries_before_commit");
    Ok(transaction.commit().await?)
}

/// Lets those go that wait for nobody; answers how many there were.
pub(crate) async fn promote_forgotten(db: &Db) -> Result<u64, DbError> {
    db.execute(PROMOTE_FORGOTTEN, &[]).await
}

/// Makes those due at once that an earlier process had in hand when it died, before `since`; answers how many.
pub(crate) async fn take_over(db: &Db, since: Timestamp) -> Result<u64, DbError> {
    db.execute(TAKE_OVER, &[&since, &WEBHOOK_CLAIM_SECONDS]).await
}

/// Ends a batch of those that nobody delivers because their endpoint was deleted or paused; answers how many.
pub(crate) async fn abandon_forgotten(db: &Db, rows_max: i64) -> Result<u64, DbError> {
    db.execute(ABANDON_FORGOTTEN, &[&rows_max]).await
}

fn delivery(row: &Row) -> Result<WebhookDelivery, DbError> {
    let word: &str = row.get("state");
    let state = DeliveryState::of(word).ok_or_else(|| DbError::Failed(format!("webhook_deliveries.state: {word}")))?;
    Ok(WebhookDelivery {
        id: row.get("id"),
        endpoint_id: row.get("endpoint_id"),
        event_id: row.get("event_id"),
        kind: row.get("type"),
        subject: row.get("subject"),
        state,
        attempts: row.get("attempts"),
        next_attempt_at: row.get("next_attempt_at"),
        last_attempt_at: row.get("last_attempt_at"),
        last_status: row.get("last_status"),
        last_error: row.get("last_error"),
        created_at: row.get("created_at"),
        ended_at: row.get("ended_at"),
        payload: row.get("payload"),
    })
}
