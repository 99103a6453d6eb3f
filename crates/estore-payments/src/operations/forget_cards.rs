//! Has the gateway forget cards that were taken off their owners' payment methods, once no open charge needs them.

use estore_kit::db::DbError;
use futures_util::future::join_all;

use crate::limits::FORGET_AT_A_TIME_MAX;
use crate::service::Shop;
use crate::store::payment_methods as store;

/// Asks for one batch; answers how many were asked for. What the gateway does not answer is asked again later.
pub(crate) async fn forget_cards(shop: &Shop) -> Result<usize, DbError> {
    if !shop.gateway.forgets() {
        return Ok(0);
    }
    let tokens = store::claim_unwanted(&shop.db, shop.gateway.name(), FORGET_AT_A_TIME_MAX).await?;
    let answers = join_all(tokens.iter().map(|token| shop.gateway.forget(token))).await;
    let mut forgotten = Vec::new();
    for (token, answer) in tokens.iter().zip(answers) {
        match answer {
            Ok(()) => forgotten.push(token.as_str()),
            Err(error) => tracing::warn!(%error, "a card that nobody wants is still with the gateway"),
        }
    }
    if !forgotten.is_empty() {
        store::drop_unwanted(&shop.db, shop.gateway.name(), &forgotten).await?;
    }
    Ok(tokens.len())
}
