//! What the command line changes of an account: its roles, and a second factor that is lost.

use estore_kit::db::{DbError, sign};

use super::change_user::{ChangeUserError, Wish, apply};
use crate::email::Email;
use crate::letter;
use crate::operations::enroll_totp::end_of;
use crate::service::Service;
use crate::store::users::{lock_user, lock_user_and_admins, lock_user_by_email};
use crate::user::Role;

/// Why the roles stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum GrantRolesError {
    /// The address breaks a rule.
    #[error("the address {0}")]
    Email(String),
    /// The address has no account.
    #[error("there is no account with this address; its owner has to register first")]
    Unknown,
    /// The account cannot be changed so.
    #[error("nothing was changed: {0}")]
    Refused(String),
    /// The database did not work.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ChangeUserError> for GrantRolesError {
    fn from(error: ChangeUserError) -> Self {
        match error {
            ChangeUserError::Db(error) => Self::Db(error),
            ChangeUserError::Unknown => Self::Unknown,
            other => Self::Refused(other.to_string()),
        }
    }
}

/// Ends the second factor of an account; whether there was one.
pub(crate) async fn forget_second_factor(service: &Service, email: &str) -> Result<bool, GrantRolesError> {
    let email = Email::parse(email).map_err(|error| GrantRolesError::Email(error.to_string()))?;
    let owner = lock_user_by_email(&service.db.client().await?, &email).await?.ok_or(GrantRolesError::Unknown)?;
    Ok(end_of(service, owner.id, letter::totp_off).await?)
}

/// Gives an account some roles and takes others; answers the words of those that it has now.
pub(crate) async fn grant_roles(
    service: &Service,
    email: &str,
    granted: &[Role],
    revoked: &[Role],
) -> Result<Vec<String>, GrantRolesError> {
    let email = Email::parse(email).map_err(|error| GrantRolesError::Email(error.to_string()))?;
    let mut client = service.db.client().await?;
    // It is locked below, together with the administrators and in their order.
    let id = lock_user_by_email(&client, &email).await?.ok_or(GrantRolesError::Unknown)?.id;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let admins = lock_user_and_admins(&transaction, id).await?;
    let (user, _) = lock_user(&transaction, id).await?.ok_or(GrantRolesError::Unknown)?;
    let had = user.roles.iter().filter_map(|word| Role::of(word));
    let roles: Vec<Role> = had.chain(granted.iter().copied()).filter(|role| !revoked.contains(role)).collect();
    let wish = Wish { is_active: user.is_active, roles: Some(roles), granted_by: None };
    let user = apply(&transaction, &admins, &user, wish).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(user.roles)
}
