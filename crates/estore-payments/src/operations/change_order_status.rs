//! Moves an order along its way to the customer.

use axum::http::StatusCode;
use estore_kit::db::DbError;
use estore_kit::field::SealError;
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;

use super::take_payment::{TakeError, take_payment};
use crate::http::etag;
use crate::limits::NOTE_CHARACTERS_MAX;
use crate::order::{Order, OrderStatus};
use crate::service::{Shop, now};
use crate::store::orders;
use crate::store::settlements::By;

/// What staff ask for.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) order_id: i32,
    pub(crate) next: OrderStatus,
    pub(crate) note: Option<String>,
    pub(crate) actor_id: i32,
    /// The `ETag` that the change is based on.
    pub(crate) if_match: Option<String>,
}

/// Why an order stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// There is no such order.
    #[error("no such order")]
    NoOrder,
    /// No such step by hand.
    #[error("no step from {} to {}", .0.word(), .1.word())]
    Illegal(OrderStatus, OrderStatus),
    /// The order has changed since the caller looked.
    #[error("the order has changed")]
    Changed,
    /// Its money was not taken.
    #[error(transparent)]
    Payment(#[from] TakeError),
    /// The note breaks a rule.
    #[error("the note breaks a rule")]
    Note(Box<Problem>),
    /// What its buyer attached cannot be opened.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NoOrder => Self::not_found("order"),
            ChangeError::Illegal(from, to) => {
                let way = match to {
                    OrderStatus::Cancelled => " Use POST /v1/orders/{id}/cancel.",
                    OrderStatus::Refunded | OrderStatus::PartiallyRefunded => " Use POST /v1/orders/{id}/refunds.",
                    _ => "",
                };
                let detail = format!("An order that is {} does not become {} by hand.{way}", from.word(), to.word());
                Self::conflict("illegal_transition", detail)
            }
            ChangeError::Changed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "The order has changed since you read it. Read it again and decide anew.",
            ),
            ChangeError::Payment(error) => error.into(),
            ChangeError::Note(problem) => *problem,
            ChangeError::Sealed(error) => error.into(),
            ChangeError::Database(error) if error.is_constraint("orders_status_step") => {
                Self::conflict("illegal_transition", "The order does not go from its present state to that one.")
            }
            ChangeError::Database(error) => error.into(),
        }
    }
}

/// Takes one step; answers the order after it.
pub(crate) async fn change_order_status(shop: &Shop, change: Change) -> Result<Order, ChangeError> {
    if let Some(note) = &change.note {
        let mut rules = Rules::new();
        rules.text("/note", note, 0..=NOTE_CHARACTERS_MAX);
        rules.finish().map_err(|problem| ChangeError::Note(Box::new(problem)))?;
    }
    if change.next == OrderStatus::Paid {
        return set_paid(shop, change).await;
    }
    let mut client = shop.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    let order = shop.shown(orders::lock(&transaction, change.order_id).await?.ok_or(ChangeError::NoOrder)?.order)?;
    if change.if_match.as_deref().is_some_and(|tag| tag != "*" && tag != etag(&order)) {
        return Err(ChangeError::Changed);
    }
    if !order.status.staff_may_become(change.next) {
        return Err(ChangeError::Illegal(order.status, change.next));
    }
    let (at, by) = (now(), (change.actor_id, change.note.as_deref()));
    orders::change_status(&transaction, &order, change.next, by, at).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(Order { status: change.next, updated_at: Some(at), ..order })
}

/// Sets a pending order paid, and with it all orders of its checkout, which is paid as a whole.
async fn set_paid(shop: &Shop, change: Change) -> Result<Order, ChangeError> {
    let order = shop.shown(orders::read(&shop.db, change.order_id).await?.ok_or(ChangeError::NoOrder)?)?;
    if change.if_match.as_deref().is_some_and(|tag| tag != "*" && tag != etag(&order)) {
        return Err(ChangeError::Changed);
    }
    if order.status != OrderStatus::Pending {
        return Err(ChangeError::Illegal(order.status, change.next));
    }
    take_payment(shop, order.checkout_id, By { actor_id: change.actor_id, note: change.note }).await?;
    let order = shop.shown(orders::read(&shop.db, change.order_id).await?.ok_or(ChangeError::NoOrder)?)?;
    // Another was quicker to end it otherwise.
    if order.status == OrderStatus::Paid { Ok(order) } else { Err(ChangeError::Illegal(order.status, change.next)) }
}
