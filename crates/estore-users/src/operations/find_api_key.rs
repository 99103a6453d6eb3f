//! The key of a hash, for whoever is shown it.

use async_trait::async_trait;
use estore_kit::auth::{ApiKey, ApiKeys, Permissions};
use estore_kit::db::DbError;
use estore_kit::problem::Problem;

use crate::Users;
use crate::service::Service;
use crate::store::api_keys as store;

#[async_trait]
impl ApiKeys for Users {
    async fn find(&self, hash: &str) -> Result<Option<ApiKey>, Problem> {
        Ok(find_api_key(&self.service, hash).await?)
    }
}

/// The key, if it is good: it may what its scopes say and its maker still may.
pub(crate) async fn find_api_key(service: &Service, hash: &str) -> Result<Option<ApiKey>, DbError> {
    let found = store::find_api_key(&service.db.client().await?, hash).await?;
    Ok(found.map(|found| {
        let scopes = Permissions::of_words(found.scopes.iter().map(String::as_str)).and(found.maker.permissions());
        ApiKey {
            id: found.id.to_string(),
            user_id: found.maker.id,
            scopes: scopes.words().into_iter().map(str::to_owned).collect(),
            seconds_left: found.seconds_left,
        }
    }))
}
