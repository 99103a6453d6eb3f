//! What this service holds about a person, to take away.

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, Viewer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::Service;
use crate::store::sessions::Session;
use crate::store::users::see_user_and_sessions;
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
    let view = service.db.seen_by(Viewer::Customer(caller.user_id));
    let found = see_user_and_sessions(&view, caller.user_id).await?.filter(|(user, _)| user.is_active);
    Ok(found.map(|(user, sessions)| AccountExport { user, sessions }))
}
