//! An administrator deactivates an account, opens it again, or changes what it may do.

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;

use crate::operations::erase_account::last_admin;
use crate::service::Service;
use crate::store::sessions::end_sessions_of_user;
use crate::store::users::{change_user as store_change, find_user, lock_user, lock_user_and_admins, replace_roles};
use crate::user::{Role, User, if_match_allows};

/// What is to change; what is left out stays.
#[derive(Debug)]
pub(crate) struct UserChange {
    pub(crate) is_active: Option<bool>,
    pub(crate) roles: Option<Vec<Role>>,
    /// The `If-Match` header.
    pub(crate) if_match: Option<String>,
}

/// Why the account stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeUserError {
    #[error("no such account")]
    Unknown,
    #[error("the account has been erased")]
    Erased,
    #[error("whoever asks is no active administrator any more")]
    NotAdmin,
    #[error("the account has changed since it was read")]
    Changed,
    #[error("the last active administrator cannot go")]
    LastAdmin,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ChangeUserError> for Problem {
    fn from(error: ChangeUserError) -> Self {
        match error {
            ChangeUserError::Unknown => Self::not_found("user"),
            ChangeUserError::Erased => Self::conflict("account_erased", "The account has been erased and stays so."),
            ChangeUserError::NotAdmin => Self::forbidden("role_required", "Only administrators may do this."),
            ChangeUserError::Changed => Self::new(
                axum::http::StatusCode::PRECONDITION_FAILED,
                "etag_mismatch",
                "The account has changed since you read it. Read it again and decide anew.",
            ),
            ChangeUserError::LastAdmin => last_admin(),
            ChangeUserError::Db(error) => error.into(),
        }
    }
}

/// Applies the change and answers the account as it is now. Deactivation ends its sessions.
pub(crate) async fn change_user(
    service: &Service,
    caller: &Caller,
    id: i32,
    change: UserChange,
) -> Result<User, ChangeUserError> {
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    // All administrators are locked in one order, so that two cannot remove each other at once.
    let admins = lock_user_and_admins(&transaction, id).await?;
    if !admins.contains(&caller.user_id) {
        return Err(ChangeUserError::NotAdmin);
    }
    let (user, _) = lock_user(&transaction, id).await?.ok_or(ChangeUserError::Unknown)?;
    if !if_match_allows(change.if_match.as_deref(), &user.etag()) {
        return Err(ChangeUserError::Changed);
    }
    if user.email.ends_with("@invalid") {
        return Err(ChangeUserError::Erased);
    }
    let is_active = change.is_active.unwrap_or(user.is_active);
    let is_admin = change.roles.as_ref().map_or(user.is_admin, |roles| roles.contains(&Role::Admin));
    if admins == [id] && !(is_active && is_admin) {
        return Err(ChangeUserError::LastAdmin);
    }
    store_change(&transaction, id, is_active, is_admin).await?;
    if let Some(roles) = &change.roles {
        let stored: &[&str] = if roles.contains(&Role::Staff) { &["staff"] } else { &[] };
        replace_roles(&transaction, id, stored, caller.user_id).await?;
    }
    if user.is_active && !is_active {
        end_sessions_of_user(&transaction, id, "deactivated").await?;
    }
    let user = find_user(&transaction, id).await?.ok_or(ChangeUserError::Unknown)?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(user)
}
