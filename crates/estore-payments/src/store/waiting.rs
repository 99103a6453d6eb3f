//! Checkouts that wait for a person.

use estore_kit::db::{self, Db, DbError};
use uuid::Uuid;

use super::checkouts::{Pending, pending};
use super::orders;
use crate::answer::Answer;

const READ_PENDING: &str = include_str!("../../queries/read_pending_checkout.sql");
const READ_WAITING: &str = include_str!("../../queries/read_waiting_checkout.sql");
const WAIT_FOR_BUYER: &str = include_str!("../../queries/wait_for_buyer.sql");
const WAIT_FOR_STAFF: &str = include_str!("../../queries/wait_for_staff.sql");

/// A checkout if it is still pending.
pub(crate) async fn read(db: &Db, id: Uuid) -> Result<Option<Pending>, DbError> {
    let client = db.client().await?;
    let rows = db::rows(&client, READ_PENDING, &[&id]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let orders = orders::of_checkouts(&client, &[id]).await?.remove(&id).unwrap_or_default();
    Ok(Some(pending(row, orders)))
}

/// The checkout under a key, if it waits for its buyer.
pub(crate) async fn of_key(db: &Db, user_id: i32, key: &str) -> Result<Option<Uuid>, DbError> {
    Ok(db.row(READ_WAITING, &[&user_id, &key]).await?.map(|row| row.get("id")))
}

/// Leaves a pending checkout to its buyer for some minutes; `false` where it is no longer pending.
pub(crate) async fn wait_for_buyer(db: &Db, id: Uuid, minutes: i32) -> Result<bool, DbError> {
    Ok(db.execute(WAIT_FOR_BUYER, &[&id, &minutes]).await? == 1)
}

/// Leaves a pending checkout to staff and stores what its buyer is answered; `false` where another came first.
pub(crate) async fn wait_for_staff(db: &Db, id: Uuid, answer: &Answer) -> Result<bool, DbError> {
    let (status, body) = (answer.status.cast_signed(), answer.body.as_ref());
    Ok(db.execute(WAIT_FOR_STAFF, &[&id, &status, &body]).await? == 1)
}
