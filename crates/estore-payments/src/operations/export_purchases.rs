//! What a customer may take away of their purchases, read as the customer.

use async_trait::async_trait;
use estore_api::customers::{CustomersApi, Purchases};
use estore_api::neighbour::CallError;
use estore_kit::db::{DbError, Viewer};
use estore_kit::field::SealError;
use serde::Serialize;
use serde_json::Value;

use crate::limits::EXPORTED_ROWS_MAX;
use crate::service::{Payments, Shop};
use crate::store::orders::{self, OrderFilter};
use crate::store::payment_methods;

#[async_trait]
impl CustomersApi for Payments {
    async fn purchases(&self, user_id: i32) -> Result<Purchases, CallError> {
        let failed = |error: DbError| CallError { service: "payments", cause: error.to_string() };
        export_purchases(&self.shop, user_id).await.map_err(failed)
    }
}

async fn export_purchases(shop: &Shop, user_id: i32) -> Result<Purchases, DbError> {
    let view = shop.db.seen_by(Viewer::Customer(user_id));
    let filter = OrderFilter { user_id: Some(user_id), status: None, before: i32::MAX };
    let methods = payment_methods::list(&shop.db, user_id, i32::MAX, EXPORTED_ROWS_MAX).await?;
    let failed = |error: SealError| DbError::Failed(error.to_string());
    let methods = shop.shown(methods).map_err(failed)?;
    let mut found = orders::list(&view, filter, EXPORTED_ROWS_MAX + 1).await?;
    let most = usize::try_from(EXPORTED_ROWS_MAX).unwrap_or(usize::MAX);
    let has_more_orders = found.len() > most;
    found.truncate(most);
    let found = shop.shown(found).map_err(failed)?;
    Ok(Purchases { payment_methods: shown(&methods)?, orders: shown(&found)?, has_more_orders })
}

/// As their routes show them.
fn shown<T: Serialize>(things: &[T]) -> Result<Vec<Value>, DbError> {
    let all: Result<Vec<Value>, _> = things.iter().map(serde_json::to_value).collect();
    all.map_err(|error| DbError::Failed(error.to_string()))
}
