//! Whoever manages accounts deactivates one or opens it again; an administrator changes what it may do.

use deadpool_postgres::Transaction;
use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::{FieldError, Problem};

use crate::operations::erase_account::last_admin;
use crate::operations::step_up::require_recent_log_in;
use crate::service::Service;
use crate::store::api_keys::revoke_api_keys_of_user;
use crate::store::sessions::end_sessions_of_user;
use crate::store::users::{change_user as store_change, find_user, lock_user, lock_user_and_admins, may_manage_users};
use crate::user::{Role, User, if_match_allows, stored_words};

const UNPROVED: &str = "Nobody has proved the address of this account, and a role is given to a proved one alone. Have its \
    owner follow the letter that was sent to it (POST /v1/users/verify/resend sends another), then give the role.";

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
    #[error("whoever asks may not manage accounts any more")]
    NotPermitted,
    #[error("this is for administrators")]
    AdminsOnly,
    #[error("whoever asks logged in too long ago for a change of roles")]
    NotRecent(Problem),
    #[error("the account has changed since it was read")]
    Changed,
    #[error("the last active administrator cannot go")]
    LastAdmin,
    #[error("{UNPROVED}")]
    Unproved,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ChangeUserError> for Problem {
    fn from(error: ChangeUserError) -> Self {
        match error {
            ChangeUserError::Unknown => Self::not_found("user"),
            ChangeUserError::Erased => Self::conflict("account_erased", "The account has been erased and stays so."),
            ChangeUserError::NotPermitted => {
                Self::forbidden("role_required", "This takes the permission \"users\", which you no longer have.")
            }
            ChangeUserError::NotRecent(problem) => problem,
            ChangeUserError::AdminsOnly => {
                Self::forbidden("role_required", "Only administrators may change roles, and accounts that have any.")
            }
            ChangeUserError::Changed => Self::new(
                axum::http::StatusCode::PRECONDITION_FAILED,
                "etag_mismatch",
                "The account has changed since you read it. Read it again and decide anew.",
            ),
            ChangeUserError::LastAdmin => last_admin(),
            ChangeUserError::Unproved => {
                let code = "email_not_verified";
                let roles = FieldError { pointer: "/roles".to_owned(), code: code.into(), detail: UNPROVED.to_owned() };
                Self::conflict(code, UNPROVED).with_errors(vec![roles])
            }
            ChangeUserError::Db(error) => error.into(),
        }
    }
}

/// Applies the change and answers the account as it is now. Deactivation ends its sessions, and so does the loss of a
/// role: what its access tokens say is no longer so.
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
    let is_admin = caller.is_admin && admins.contains(&caller.user_id);
    if !is_admin && !may_manage_users(&transaction, caller.user_id).await? {
        return Err(ChangeUserError::NotPermitted);
    }
    let (user, _) = lock_user(&transaction, id).await?.ok_or(ChangeUserError::Unknown)?;
    if !is_admin && (change.roles.is_some() || !user.roles.is_empty()) {
        return Err(ChangeUserError::AdminsOnly);
    }
    if change.roles.is_some() {
        require_recent_log_in(caller).map_err(ChangeUserError::NotRecent)?;
    }
    if !if_match_allows(change.if_match.as_deref(), &user.etag()) {
        return Err(ChangeUserError::Changed);
    }
    let UserChange { is_active, roles, .. } = change;
    let wish = Wish { is_active: is_active.unwrap_or(user.is_active), roles, granted_by: Some(caller.user_id) };
    let user = apply(&transaction, &admins, &user, wish).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(user)
}

/// What an account is to be.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) is_active: bool,
    /// All its roles; as they are where nothing is said.
    pub(super) roles: Option<Vec<Role>>,
    /// Nobody, where it comes from the command line.
    pub(super) granted_by: Option<i32>,
}

/// Makes the account so; it is locked, and so are the administrators.
pub(super) async fn apply(
    transaction: &Transaction<'_>,
    admins: &[i32],
    user: &User,
    wish: Wish,
) -> Result<User, ChangeUserError> {
    let Wish { is_active, roles, granted_by } = wish;
    if user.email.ends_with("@invalid") {
        return Err(ChangeUserError::Erased);
    }
    let is_admin = roles.as_ref().map_or(user.is_admin, |roles| roles.contains(&Role::Admin));
    if admins == [user.id] && !(is_active && is_admin) {
        return Err(ChangeUserError::LastAdmin);
    }
    let words = roles.as_deref().map(stored_words);
    if !store_change(transaction, user.id, (is_active, is_admin), words.as_deref(), granted_by).await? {
        return Err(ChangeUserError::Unproved);
    }
    if user.is_active && !is_active {
        end_sessions_of_user(transaction, user.id, "deactivated").await?;
        revoke_api_keys_of_user(transaction, user.id).await?;
    } else if roles.is_some_and(|roles| !user.roles.iter().all(|had| roles.iter().any(|role| role.word() == had))) {
        end_sessions_of_user(transaction, user.id, "roles").await?;
    }
    find_user(transaction, user.id).await?.ok_or(ChangeUserError::Unknown)
}
