//! What the command line changes of an account: its roles, and second factors that are lost.

use estore_kit::db::{DbError, sign};

use super::change_user::{ChangeUserError, Wish, apply};
use crate::email::Email;
use crate::letter;
use crate::service::Service;
use crate::store::mails::insert_mail;
use crate::store::passkeys::delete_passkeys_of_user;
use crate::store::second_factors::{delete_idle_recovery_codes, delete_totp_factor};
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

/// Ends the authenticator, the passkeys and the recovery codes of an account; whether there were any.
pub(crate) async fn forget_second_factor(service: &Service, email: &str) -> Result<bool, GrantRolesError> {
    let email = Email::parse(email).map_err(|error| GrantRolesError::Email(error.to_string()))?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let owner = lock_user_by_email(&transaction, &email).await?.ok_or(GrantRolesError::Unknown)?;
    let had_totp = delete_totp_factor(&transaction, owner.id).await?;
    let had_passkeys = delete_passkeys_of_user(&transaction, owner.id).await?;
    delete_idle_recovery_codes(&transaction, owner.id).await?;
    if had_totp {
        insert_mail(&transaction, &service.fields, &letter::totp_off(email.as_str(), false)).await?;
    }
    if had_passkeys {
        insert_mail(&transaction, &service.fields, &letter::passkey_removed(email.as_str(), false)).await?;
    }
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(had_totp || had_passkeys)
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
