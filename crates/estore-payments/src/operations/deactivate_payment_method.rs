//! A customer takes a card off the payment methods; the gateway is told to forget it by `forget_cards`.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;

use crate::service::Shop;
use crate::store::payment_methods;

/// Why nothing was deactivated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeactivateError {
    /// The customer has no such active payment method.
    #[error("no such payment method")]
    NoMethod,
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<DeactivateError> for Problem {
    fn from(error: DeactivateError) -> Self {
        match error {
            DeactivateError::NoMethod => Self::not_found("payment method"),
            DeactivateError::Database(error) => error.into(),
        }
    }
}

/// Deactivates it, and notes in the same statement that the gateway is to forget its card.
pub(crate) async fn deactivate_payment_method(shop: &Shop, user_id: i32, id: i32) -> Result<(), DeactivateError> {
    let forgetting = shop.gateway.forgets().then(|| shop.gateway.name());
    let is_gone = payment_methods::deactivate(&shop.db, user_id, id, forgetting).await?;
    if is_gone { Ok(()) } else { Err(DeactivateError::NoMethod) }
}
