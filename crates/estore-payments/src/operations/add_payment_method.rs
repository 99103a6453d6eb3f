//! Adds a card: the gateway gives a token for it, and the number is forgotten.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;

use crate::card::Card;
use crate::gateway::GatewayError;
use crate::payment_method::{CardDetails, PaymentMethod};
use crate::service::Shop;
use crate::store::payment_methods;

/// Why a card was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddError {
    /// The gateway is away.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<AddError> for Problem {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Gateway(error) => {
                tracing::warn!(%error, "cannot tokenise a card");
                Self::unavailable("The payment gateway does not answer. Try again shortly.")
            }
            AddError::Database(error) => error.into(),
        }
    }
}

/// Adds the card to the customer's payment methods; the same card again is the same method, and not new.
pub(crate) async fn add_payment_method(
    shop: &Shop,
    user_id: i32,
    card: &Card,
) -> Result<(PaymentMethod, bool), AddError> {
    let token = shop.gateway.tokenise(card).await?;
    let details = CardDetails::from(card);
    Ok(payment_methods::add(&shop.db, user_id, &details, shop.gateway.name(), &token).await?)
}
