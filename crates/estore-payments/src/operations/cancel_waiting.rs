//! Cancels an order that waits for a person: its whole checkout ends, nothing is charged and the stock goes back.

use estore_kit::auth::Caller;

use super::cancel_order::CancelError;
use super::place_checkout::{settle, settlement};
use crate::gateway::ClosedSale;
use crate::order::Order;
use crate::service::Shop;
use crate::store::settlements::{By, End, Settlement};
use crate::store::{orders, waiting};

/// Cancels the checkout of a pending order that the caller may cancel.
pub(crate) async fn cancel_waiting(shop: &Shop, caller: &Caller, id: i32) -> Result<Order, CancelError> {
    let order = orders::read(&shop.db, id).await?.ok_or(CancelError::NoOrder)?;
    let pending = waiting::read(&shop.db, order.checkout_id).await?;
    let waits = pending.filter(|pending| pending.waits && pending.gateway == shop.gateway.name());
    let pending = waits.ok_or(CancelError::InProgress)?;
    let closed = shop.gateway.close(vec![order.checkout_id]).await.into_iter().next();
    let end = match closed {
        Some(ClosedSale::NotMade | ClosedSale::Refused(_)) => End::Cancelled,
        // Paid at this very moment: the next try refunds it.
        Some(ClosedSale::Captured { reference }) => End::Captured(reference),
        Some(ClosedSale::Silent { cause }) => {
            tracing::warn!(order = id, cause, "the gateway does not say whether a charge is closed");
            return Err(CancelError::InProgress);
        }
        None => return Err(CancelError::InProgress),
    };
    let by = By { actor_id: caller.user_id, note: None };
    let settlement = Settlement { by: Some(by), ..settlement(pending.operation, pending.checkout, end) };
    settle(shop, settlement).await.map_err(CancelError::Settling)?;
    let order = orders::read(&shop.db, id).await?.ok_or(CancelError::NoOrder)?;
    if order.status == crate::order::OrderStatus::Cancelled { Ok(order) } else { Err(CancelError::InProgress) }
}
