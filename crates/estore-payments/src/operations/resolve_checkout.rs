//! Staff have a checkout looked at now whose charge the gateway did not tell of. It is paid if the gateway says that the
//! money was taken, and given up only if the gateway says that it was not and now never will be.

use estore_kit::db::{DbError, Viewer};
use estore_kit::problem::Problem;
use uuid::Uuid;

use super::place_checkout::{PlaceError, end_of, settle, settlement};
use crate::checkout::{Checkout, CheckoutStatus};
use crate::service::Shop;
use crate::store::settlements::{By, Settlement};
use crate::store::{checkouts, waiting};

/// Why a checkout stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// There is no such checkout.
    #[error("no such checkout")]
    NoCheckout,
    /// It is under way, and goes on by itself.
    #[error("the checkout needs nobody")]
    NotStuck,
    /// Another gateway than the configured one has its charge.
    #[error("its charge is with the gateway {0}")]
    OtherGateway(String),
    /// The gateway still does not say.
    #[error("the gateway stays silent")]
    Silent,
    /// It could not be settled.
    #[error(transparent)]
    Settling(#[from] PlaceError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<ResolveError> for Problem {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NoCheckout => Self::not_found("checkout"),
            ResolveError::NotStuck => {
                Self::conflict("nothing_to_resolve", "The checkout is under way and goes on by itself.").retry_after(5)
            }
            ResolveError::OtherGateway(name) => Self::conflict(
                "other_gateway",
                format!("Its charge is with the gateway `{name}`. Configure that one again to have it looked at."),
            ),
            ResolveError::Silent => {
                Self::unavailable("The payment gateway still does not say what became of the charge. Nothing changed.")
                    .retry_after(30)
            }
            ResolveError::Settling(error) => error.into(),
            ResolveError::Database(error) => error.into(),
        }
    }
}

/// Asks the gateway once and settles by its word; the checkout as it is then. One that is over stays as it is.
pub(crate) async fn resolve_checkout(shop: &Shop, id: Uuid, actor_id: i32) -> Result<Checkout, ResolveError> {
    let checkout = read(shop, id, actor_id).await?;
    if checkout.status != CheckoutStatus::Pending {
        return Ok(checkout);
    }
    if checkout.needs_attention_since.is_none() {
        return Err(ResolveError::NotStuck);
    }
    let Some(pending) = waiting::read(&shop.db, id).await? else { return read(shop, id, actor_id).await };
    if pending.gateway != shop.gateway.name() {
        return Err(ResolveError::OtherGateway(pending.gateway));
    }
    let closed = shop.gateway.close(vec![id]).await.into_iter().next();
    let end = closed.and_then(end_of).ok_or(ResolveError::Silent)?;
    let by = By { actor_id, note: Some("looked at by staff".to_owned()) };
    let settlement = Settlement { by: Some(by), ..settlement(pending.operation, pending.checkout, end) };
    settle(shop, if pending.waits { settlement } else { settlement.frees_key_if_not_made() }).await?;
    read(shop, id, actor_id).await
}

async fn read(shop: &Shop, id: Uuid, actor_id: i32) -> Result<Checkout, ResolveError> {
    let view = shop.db.seen_by(Viewer::Staff(actor_id));
    checkouts::seen(&view, id).await?.ok_or(ResolveError::NoCheckout)
}
