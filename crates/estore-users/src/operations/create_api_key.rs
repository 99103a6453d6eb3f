//! A key for a program of the shop, shown once.

use estore_kit::auth::{API_KEY_PREFIX, Caller};
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;

use crate::api_key::{ApiKeyWithSecret, Scope};
use crate::letter;
use crate::limits::{API_KEY_DAYS_DEFAULT, API_KEY_DAYS_MAX, API_KEY_NAME_CHARACTERS_MAX, API_KEYS_MAX};
use crate::operations::step_up::require_recent_log_in;
use crate::secret::ApiKeySecret;
use crate::service::Service;
use crate::store::api_keys::{NewApiKey, insert_api_key};
use crate::store::mails::insert_mail;

/// Characters of the secret that stay readable, so that people know a key again.
const HINT_CHARACTERS: usize = 6;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct ApiKeyWish {
    pub(crate) name: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) expires_in_days: Option<i32>,
}

/// Makes the key; it acts in the name of whoever makes it, and they are told.
pub(crate) async fn create_api_key(
    service: &Service,
    caller: &Caller,
    wish: ApiKeyWish,
) -> Result<ApiKeyWithSecret, Problem> {
    require_recent_log_in(caller)?;
    let days = wish.expires_in_days.unwrap_or(API_KEY_DAYS_DEFAULT);
    let name = wish.name.trim();
    let mut rules = Rules::new();
    rules.text("/name", name, 1..=API_KEY_NAME_CHARACTERS_MAX);
    rules.range("/expires_in_days", days, 1..=API_KEY_DAYS_MAX);
    rules.require(!wish.scopes.is_empty(), "/scopes", "missing", "must name at least one");
    rules.finish()?;
    let mut scopes: Vec<&str> = wish.scopes.iter().map(|scope| scope.word()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    let secret = ApiKeySecret::generate(API_KEY_PREFIX).map_err(Problem::internal)?;
    let hint: String = secret.text.reveal().chars().take(API_KEY_PREFIX.len() + HINT_CHARACTERS).collect();
    let new = NewApiKey { user_id: caller.user_id, name, hash: &secret.hash, hint: &hint, scopes: &scopes, days };
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let made = insert_api_key(&transaction, &new).await?;
    let (key, email) = made.ok_or_else(|| {
        let detail = format!("You have {API_KEYS_MAX} API keys that are good; revoke one that is not needed.");
        Problem::conflict("too_many_api_keys", detail)
    })?;
    insert_mail(&transaction, &service.fields, &letter::api_key_made(&email)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(ApiKeyWithSecret { key, secret: secret.text })
}
