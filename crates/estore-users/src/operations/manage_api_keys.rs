//! The keys that there are, and the end of one.

use estore_kit::auth::{Caller, Permission};
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::api_key::ApiKey;
use crate::service::Service;
use crate::store::api_keys as store;

/// A page of all keys, newest first, those that ended of late too.
pub(crate) async fn list_api_keys(
    service: &Service,
    caller: &Caller,
    query: &PageQuery,
) -> Result<List<ApiKey>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before = paging::decode(query.cursor.as_deref())?.unwrap_or(Uuid::max());
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let view = service.db.seen_by(caller.viewer(&[Permission::Users]));
    Ok(paging::page(store::list_api_keys(&view, before, wanted).await?, limit, |key| key.id))
}

/// Ends a key; it is refused here at once, elsewhere within a second.
pub(crate) async fn revoke_api_key(service: &Service, id: Uuid) -> Result<(), Problem> {
    if !store::revoke_api_key(&service.db, id).await? {
        return Err(Problem::not_found("API key that is good"));
    }
    service.revoke(&id.to_string());
    Ok(())
}
