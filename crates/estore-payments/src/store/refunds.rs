//! Refunds.

use deadpool_postgres::GenericClient;
use estore_kit::db::{self, Db, DbError};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::limits::{ATTEMPTS_BEFORE_ATTENTION, RESUME_PAUSE_SECONDS_MAX};
use crate::refund::{PendingRefund, Refund, RefundKind};

const RESERVE: &str = include_str!("../../queries/reserve_refund.sql");
const INSERT: &str = include_str!("../../queries/insert_refund.sql");
const CLAIM_PENDING: &str = include_str!("../../queries/claim_pending_refunds.sql");
const LOCK_PENDING: &str = include_str!("../../queries/lock_pending_refund.sql");
const SUM_SUCCEEDED: &str = include_str!("../../queries/sum_succeeded_refunds.sql");
const SUCCEED: &str = include_str!("../../queries/succeed_refund.sql");
const FAIL: &str = include_str!("../../queries/fail_refund.sql");

/// Reserves money of a locked order; `false` where too little is left.
pub(crate) async fn reserve<C: GenericClient>(
    client: &C,
    order_id: i32,
    amount: i32,
    at: Timestamp,
) -> Result<bool, DbError> {
    Ok(db::execute(client, RESERVE, &[&order_id, &amount, &at]).await? == 1)
}

/// Writes the intent to refund; another process may take it over after `resume_after_seconds`.
pub(crate) async fn insert<C: GenericClient>(
    client: &C,
    pending: &PendingRefund,
    resume_after_seconds: u32,
) -> Result<(), DbError> {
    let Refund { id, order_id, amount, currency, reason, created_at, .. } = &pending.refund;
    let (kind, wait) = (pending.kind.word(), f64::from(resume_after_seconds));
    db::execute(
        client,
        INSERT,
        &[
            id,
            order_id,
            &pending.checkout_id,
            &pending.user_id,
            &kind,
            amount,
            currency,
            reason,
            &pending.requested_by,
            &pending.key,
            &wait,
            created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Claims up to `rows_max` pending refunds that are due; with `alone_since`, also those written before it.
pub(crate) async fn claim_pending(
    db: &Db,
    alone_since: Option<Timestamp>,
    rows_max: i64,
) -> Result<Vec<PendingRefund>, DbError> {
    let (alone, since) = (alone_since.is_some(), alone_since.unwrap_or(Timestamp::UNIX_EPOCH));
    let claim: [&(dyn ToSql + Sync); 5] =
        [&alone, &since, &rows_max, &RESUME_PAUSE_SECONDS_MAX, &ATTEMPTS_BEFORE_ATTENTION];
    Ok(db.rows(CLAIM_PENDING, &claim).await?.iter().map(pending).collect())
}

/// A pending refund of a row.
pub(super) fn pending(row: &Row) -> PendingRefund {
    PendingRefund {
        refund: Refund {
            id: row.get("id"),
            order_id: row.get("order_id"),
            amount: row.get("amount"),
            currency: row.get("currency"),
            reason: row.get("reason"),
            status: "pending",
            created_at: row.get("created_at"),
        },
        checkout_id: row.get("checkout_id"),
        user_id: row.get("user_id"),
        gateway: row.get("gateway"),
        kind: if row.get::<_, &str>("kind") == "cancel" { RefundKind::Cancel } else { RefundKind::Refund },
        requested_by: row.get("requested_by"),
        key: row.get("idempotency_key"),
    }
}

/// Locks a refund if it is still pending.
pub(crate) async fn lock_pending<C: GenericClient>(client: &C, id: Uuid) -> Result<bool, DbError> {
    Ok(!db::rows(client, LOCK_PENDING, &[&id]).await?.is_empty())
}

/// Books a locked refund of a locked order as paid out.
pub(crate) async fn succeed<C: GenericClient>(
    client: &C,
    refund: &Refund,
    reference: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    let sums = db::rows(client, SUM_SUCCEEDED, &[&refund.order_id]).await?;
    let before: i64 = sums.first().map(|row| row.get("amount")).unwrap_or(0);
    db::execute(client, SUCCEED, &[&refund.id, &reference, &at, &before]).await?;
    Ok(())
}

/// Ends a locked refund of a locked order that the gateway refused: its amount is free again.
pub(crate) async fn fail<C: GenericClient>(
    client: &C,
    refund: &Refund,
    cause: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    db::execute(client, FAIL, &[&refund.id, &cause, &at]).await?;
    Ok(())
}
