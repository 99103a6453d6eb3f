//! Cancels an order: its money goes back to the buyer and its units back on sale, once, however often it is asked.

use std::sync::Arc;

use estore_api::inventory::RestockLine;
use estore_kit::auth::{Caller, Permission};
use estore_kit::crash;
use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use uuid::Uuid;

use super::cancel_waiting::cancel_waiting;
use super::place_checkout::PlaceError;
use super::refund_order::pay_out;
use crate::order::{Order, OrderStatus};
use crate::refund::{PendingRefund, Refund, RefundKind};
use crate::service::{Shop, now};
use crate::store::{orders, refunds};

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CancelError {
    /// There is no such order, or it is someone else's.
    #[error("no such order")]
    NoOrder,
    /// Its charge is under way.
    #[error("the charge is under way")]
    InProgress,
    /// It has gone too far.
    #[error("not cancellable while {}", .0.word())]
    NotCancellable(OrderStatus),
    /// Its checkout could not be ended.
    #[error(transparent)]
    Settling(PlaceError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NoOrder => Self::not_found("order"),
            CancelError::InProgress => {
                Self::conflict("order_in_progress", "The order's charge is under way. Try again shortly.")
                    .retry_after(1)
            }
            CancelError::NotCancellable(status) => Self::conflict(
                "not_cancellable",
                format!("An order that is {} can no longer be cancelled.", status.word()),
            ),
            CancelError::Settling(error) => error.into(),
            CancelError::Database(error) => error.into(),
        }
    }
}

/// Cancels an order of the caller's, or any for those who handle orders; one that is cancelled stays so.
pub(crate) async fn cancel_order(shop: Arc<Shop>, caller: Caller, id: i32) -> Result<Order, CancelError> {
    let Cancelled { order, refund, is_new } = match cancel(&shop, &caller, id).await {
        // Nothing is charged yet; if it waits for a person, nothing will be.
        Err(CancelError::InProgress) => return cancel_waiting(&shop, &caller, id).await,
        outcome => outcome?,
    };
    if !is_new {
        return Ok(order);
    }
    // Both are finished from the database if we stop here: the refund by the resumer, the units by the outbox.
    if let Some(pending) = refund
        && let Err(error) = pay_out(&shop, &pending).await
    {
        tracing::warn!(order = id, %error, "the refund of a cancelled order waits for the resumer");
    }
    crash::point("after_cancel_refund");
    let units = RestockLine {
        order_id: id,
        checkout_id: order.checkout_id,
        product_id: order.product_id,
        quantity: order.quantity,
    };
    if let Err(error) = shop.inventory.restock(vec![units]).await {
        tracing::warn!(order = id, %error, "the units of a cancelled order wait for the relay");
    }
    shop.wake_relay.notify_one();
    orders::read(&shop.db, id).await?.ok_or(CancelError::NoOrder)
}

struct Cancelled {
    order: Order,
    refund: Option<PendingRefund>,
    is_new: bool,
}

async fn cancel(shop: &Shop, caller: &Caller, id: i32) -> Result<Cancelled, CancelError> {
    let mut client = shop.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    let locked = orders::lock(&transaction, id).await?.ok_or(CancelError::NoOrder)?;
    let (order, captured, gateway) = (locked.order, locked.captured, locked.gateway);
    if !caller.is_user(order.user_id) && !caller.may(Permission::Orders) {
        return Err(CancelError::NoOrder);
    }
    match order.status {
        OrderStatus::Cancelled => return Ok(Cancelled { order, refund: None, is_new: false }),
        OrderStatus::Pending => return Err(CancelError::InProgress),
        status if !status.may_become(OrderStatus::Cancelled) => return Err(CancelError::NotCancellable(status)),
        _ => {}
    }
    let (left, at) = (captured - order.refunded_amount, now());
    orders::cancel(&transaction, id, caller.user_id, at).await?;
    let refund = (left > 0).then(|| PendingRefund {
        refund: Refund {
            id: Uuid::now_v7(),
            order_id: id,
            amount: left,
            currency: order.currency.clone(),
            reason: "the order was cancelled".to_owned(),
            status: "pending",
            created_at: at,
        },
        checkout_id: order.checkout_id,
        user_id: order.user_id,
        gateway,
        kind: RefundKind::Cancel,
        requested_by: caller.user_id,
        key: None,
    });
    if let Some(pending) = &refund {
        refunds::insert(&transaction, pending, shop.config.resume_after_seconds).await?;
    }
    crash::point("before_cancel");
    transaction.commit().await.map_err(DbError::from)?;
    crash::point("after_cancel");
    Ok(Cancelled { order, refund, is_new: true })
}
