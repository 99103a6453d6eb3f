//! What is left of customers whose accounts have been erased: their orders and the books, and nothing personal.

use std::sync::atomic::Ordering::SeqCst;

use estore_api::events::ServiceEvent;
use estore_kit::db::DbError;

use crate::event::EventType;
use crate::limits::ERASED_AGAIN;
use crate::service::Shop;
use crate::store::customers;

/// Erases whom the events name; safe to repeat.
pub(crate) async fn erase_customers(shop: &Shop, events: &[ServiceEvent]) -> Result<(), DbError> {
    let erased = events.iter().filter(|event| event.kind == EventType::UserErased.word());
    let ids: Vec<i32> = erased.filter_map(|event| i32::try_from(event.data.get("id")?.as_i64()?).ok()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    erase(shop, &ids).await?;
    shop.has_lately_erased.store(true, SeqCst);
    Ok(())
}

/// Erases once more what requests may have written that were under way when their customer was erased.
pub(crate) async fn erase_latecomers(shop: &Shop) -> Result<(), DbError> {
    if !shop.has_lately_erased.swap(false, SeqCst) {
        return Ok(());
    }
    let again = async {
        let ids = customers::lately_erased(&shop.db, ERASED_AGAIN.as_secs_f64()).await?;
        if !ids.is_empty() {
            erase(shop, &ids).await?;
        }
        Ok(!ids.is_empty())
    };
    let done = again.await;
    // Again in a while, as long as there is somebody to look at, or the database was away.
    if !matches!(done, Ok(false)) {
        shop.has_lately_erased.store(true, SeqCst);
    }
    done.map(drop)
}

async fn erase(shop: &Shop, ids: &[i32]) -> Result<(), DbError> {
    let forgetting = shop.gateway.forgets().then(|| shop.gateway.name());
    customers::erase(&shop.db, ids, forgetting).await
}
