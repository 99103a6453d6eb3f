//! Webhook endpoints.

use deadpool_postgres::GenericClient;
use estore_kit::db::{self, Db, DbError};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::event::EventType;
use crate::limits::{ENDPOINTS_MAX, JOB_ROWS_MAX, OLD_SECRET_HOURS};
use crate::webhook::WebhookEndpoint;

const INSERT: &str = include_str!("../../queries/webhook_insert_endpoint.sql");
const LIST: &str = include_str!("../../queries/webhook_list_endpoints.sql");
const READ: &str = include_str!("../../queries/webhook_read_endpoint.sql");
const LOCK: &str = include_str!("../../queries/webhook_lock_endpoint.sql");
const CHANGE: &str = include_str!("../../queries/webhook_change_endpoint.sql");
const ROTATE: &str = include_str!("../../queries/webhook_rotate_secret.sql");
const DELETE: &str = include_str!("../../queries/webhook_delete_endpoint.sql");
const CLOSE_GONE: &str = include_str!("../../queries/webhook_close_gone_endpoints.sql");
const ABANDON: &str = include_str!("../../queries/webhook_abandon_deliveries.sql");

/// A new endpoint; `None` where there are as many as there may be.
pub(crate) async fn insert(
    db: &Db,
    (id, created_by): (Uuid, i32),
    url: &str,
    events: &[EventType],
    description: Option<&str>,
) -> Result<Option<WebhookEndpoint>, DbError> {
    let words = words(events);
    let row = db.signed().row(INSERT, &[&id, &url, &words, &description, &created_by, &ENDPOINTS_MAX]).await?;
    row.map(|row| endpoint(&row)).transpose()
}

/// A page of the endpoints that are not deleted, oldest first, after `after`.
pub(crate) async fn list(db: &Db, after: Option<Uuid>, rows_max: i64) -> Result<Vec<WebhookEndpoint>, DbError> {
    db.rows(LIST, &[&after, &rows_max]).await?.iter().map(endpoint).collect()
}

/// One endpoint, deleted or not.
pub(crate) async fn read(db: &Db, id: Uuid) -> Result<Option<WebhookEndpoint>, DbError> {
    db.row(READ, &[&id]).await?.map(|row| endpoint(&row)).transpose()
}

/// An endpoint that is locked for a change.
pub(crate) struct Locked {
    pub(crate) endpoint: WebhookEndpoint,
    /// The version of its secret.
    pub(crate) secret_version: i32,
    /// The oldest version that still signs beside it.
    pub(crate) old_secret_version: Option<i32>,
}

/// Locks an endpoint that is not deleted.
pub(crate) async fn lock<C: GenericClient>(client: &C, id: Uuid) -> Result<Option<Locked>, DbError> {
    let locked = |row: &Row| {
        let (secret_version, old_secret_version) = (row.get("secret_version"), row.get("old_secret_version"));
        Ok(Locked { endpoint: endpoint(row)?, secret_version, old_secret_version })
    };
    db::rows(client, LOCK, &[&id]).await?.first().map(locked).transpose()
}

/// Writes a locked endpoint as it is to be; where it is no longer delivered to, what is on its way to it is dead.
pub(crate) async fn change<C: GenericClient>(client: &C, to: &WebhookEndpoint, at: Timestamp) -> Result<(), DbError> {
    let words = words(&to.events);
    let reason = to.inactive_reason.as_deref();
    db::execute(client, CHANGE, &[&to.id, &to.url, &words, &to.description, &to.is_active, &reason, &at]).await?;
    if !to.is_active {
        db::execute(client, ABANDON, &[&vec![to.id], &"the endpoint was paused", &JOB_ROWS_MAX]).await?;
    }
    Ok(())
}

/// Gives a locked endpoint its next secret; those from the version `oldest` on sign too for a day. Answers the new
/// version.
pub(crate) async fn rotate<C: GenericClient>(
    client: &C,
    id: Uuid,
    oldest: i32,
) -> Result<(WebhookEndpoint, i32), DbError> {
    let rows = db::rows(client, ROTATE, &[&id, &oldest, &OLD_SECRET_HOURS]).await?;
    let row = rows.first().ok_or_else(|| DbError::Failed("a locked webhook endpoint is gone".to_owned()))?;
    Ok((endpoint(row)?, row.get("secret_version")))
}

/// Deletes an endpoint and ends what is on its way to it; `false` where there is none.
pub(crate) async fn delete(db: &Db, id: Uuid) -> Result<bool, DbError> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    db::sign(&transaction).await?;
    let deleted = db::execute(&transaction, DELETE, &[&id]).await? == 1;
    db::execute(&transaction, ABANDON, &[&vec![id], &"the endpoint was deleted", &JOB_ROWS_MAX]).await?;
    transaction.commit().await?;
    Ok(deleted)
}

/// Ends endpoints that are gone by their receivers' own word, unless they stand at another address by now; answers
/// which.
pub(crate) async fn close_gone<C: GenericClient>(client: &C, gone: &[&(Uuid, String)]) -> Result<Vec<Uuid>, DbError> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = gone.iter().map(|(id, _)| *id).collect();
    let urls: Vec<&str> = gone.iter().map(|(_, url)| url.as_str()).collect();
    let closed = db::rows(client, CLOSE_GONE, &[&ids, &urls]).await?;
    let closed: Vec<Uuid> = closed.iter().map(|row| row.get("id")).collect();
    if !closed.is_empty() {
        tracing::warn!(endpoints = ?closed, "webhook receivers say that they are gone: nothing more is sent to them");
    }
    Ok(closed)
}

/// Ends what is on its way to endpoints that are gone.
pub(crate) async fn abandon_gone<C: GenericClient>(client: &C, closed: &[Uuid]) -> Result<(), DbError> {
    if !closed.is_empty() {
        db::execute(client, ABANDON, &[&closed, &"the receiver answered 410 Gone", &JOB_ROWS_MAX]).await?;
    }
    Ok(())
}

fn words(events: &[EventType]) -> Vec<&'static str> {
    events.iter().map(|event| event.word()).collect()
}

fn endpoint(row: &Row) -> Result<WebhookEndpoint, DbError> {
    let words: Vec<String> = row.get("events");
    let event =
        |word: &String| EventType::of(word).ok_or_else(|| DbError::Failed(format!("webhook_endpoints.events: {word}")));
    Ok(WebhookEndpoint {
        id: row.get("id"),
        url: row.get("url"),
        events: words.iter().map(event).collect::<Result<_, _>>()?,
        description: row.get("description"),
        is_active: row.get("is_active"),
        inactive_reason: row.get("inactive_reason"),
        old_secret_until: row.get("old_secret_until"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}
