//! What this service holds about a person, to take away.

use estore_kit::auth::Caller;
use estore_kit::db::DbError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::Service;
use crate::store::sessions::{Session, list_sessions};
use crate::store::users::find_user;
use crate::user::User;

/// Everything but secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountExport {
    /// The account.
    pub(crate) user: User,
    /// Its sessions, newest first, at most 1,000.
    pub(crate) sessions: Vec<Session>,
}

/// The export, or nothing when the account is gone.
pub(crate) async fn export_account(service: &Service, caller: &Caller) -> Result<Option<AccountExport>, DbError> {
    let client = service.db.client().await?;
    let Some(user) = find_user(&client, caller.user_id).await?.filter(|user| user.is_active) else { return Ok(None) };
    let sessions = list_sessions(&client, caller.user_id).await?;
    Ok(Some(AccountExport { user, sessions }))
}
