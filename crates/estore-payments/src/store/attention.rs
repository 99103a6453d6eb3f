//! What staff must look at.

use estore_kit::db::{Db, DbError, View};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::checkouts::checkout;
use super::orders;
use super::refunds::pending;
use crate::attention::{StuckCheckout, StuckRefund};
use crate::refund::PendingRefund;

const LIST_CHECKOUTS: &str = include_str!("../../queries/list_stuck_checkouts.sql");
const LIST_REFUNDS: &str = include_str!("../../queries/list_stuck_refunds.sql");
const READ_REFUND: &str = include_str!("../../queries/read_refund.sql");
const NOTE_ASKED_AGAIN: &str = include_str!("../../queries/note_asked_again.sql");
const SETTLE: &str = include_str!("../../queries/settle_attention.sql");

/// A page of the checkouts that staff must look at, oldest first, after `after`.
pub(crate) async fn checkouts(view: &View, after: Option<Uuid>, rows_max: i64) -> Result<Vec<StuckCheckout>, DbError> {
    let rows = view.rows(LIST_CHECKOUTS, &[&after, &rows_max]).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get("id")).collect();
    let mut orders = orders::seen_of_checkouts(view, &ids).await?;
    let stuck = |row: &Row| StuckCheckout {
        checkout: checkout(row, orders.remove(&row.get("id")).unwrap_or_default()),
        user_id: row.get("user_id"),
        gateway: row.get("gateway"),
        attempts: row.get("attempts"),
        next_attempt_at: row.get("next_attempt_at"),
    };
    Ok(rows.iter().map(stuck).collect())
}

/// A page of the refunds that staff must look at, oldest first, after `after`.
pub(crate) async fn refunds(view: &View, after: Option<Uuid>, rows_max: i64) -> Result<Vec<StuckRefund>, DbError> {
    Ok(view.rows(LIST_REFUNDS, &[&after, &rows_max]).await?.iter().map(refund).collect())
}

/// One refund, and how it goes on where it is pending.
pub(crate) async fn read_refund(db: &Db, id: Uuid) -> Result<Option<(StuckRefund, Option<PendingRefund>)>, DbError> {
    let row = db.row(READ_REFUND, &[&id]).await?;
    Ok(row.map(|row| {
        let found = refund(&row);
        let open = (found.status == "pending").then(|| pending(&row));
        (found, open)
    }))
}

/// Staff have seen to an ended refund.
pub(crate) async fn settle_refund(db: &Db, id: Uuid, at: Timestamp) -> Result<(), DbError> {
    db.signed().rows(SETTLE, &[&id, &at]).await?;
    Ok(())
}

/// Staff had a pending refund asked for again.
pub(crate) async fn note_asked_again(db: &Db, id: Uuid) -> Result<(), DbError> {
    db.signed().rows(NOTE_ASKED_AGAIN, &[&id]).await.map(drop)
}

fn refund(row: &Row) -> StuckRefund {
    StuckRefund {
        id: row.get("id"),
        order_id: row.get("order_id"),
        user_id: row.get("user_id"),
        kind: row.get("kind"),
        amount: row.get("amount"),
        currency: row.get("currency"),
        reason: row.get("reason"),
        status: row.get("state"),
        failure: row.get("failure"),
        attempts: row.get("attempts"),
        next_attempt_at: row.get("next_attempt_at"),
        needs_attention_since: row.get("needs_attention_since"),
        created_at: row.get("created_at"),
    }
}
