//! One's own account is emptied. Its number stays, for the orders that name it.

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;

use crate::letter;
use crate::operations::change_profile::ChangeProfileError;
use crate::operations::check_second_factor::{Shown, confirm_owner};
use crate::secret::Secret;
use crate::service::Service;
use crate::store::mails::insert_mail;
use crate::store::users::{erase_user, lock_user, lock_user_and_admins};

/// Why the account stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseError {
    #[error("the last active administrator cannot go")]
    LastAdmin,
    #[error(transparent)]
    Unconfirmed(#[from] ChangeProfileError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::LastAdmin => last_admin(),
            EraseError::Unconfirmed(error) => error.into(),
            EraseError::Db(error) => error.into(),
        }
    }
}

/// 409: somebody has to be able to manage accounts.
pub(crate) fn last_admin() -> Problem {
    Problem::conflict("last_admin", "This is the last active administrator; make another one first.")
}

/// Erases, after the proof that the owner asks.
pub(crate) async fn erase_account(
    service: &Service,
    caller: &Caller,
    password: Option<&Secret>,
    shown: Shown<'_>,
) -> Result<(), EraseError> {
    let id = caller.user_id;
    let hash = confirm_owner(service, caller, password, shown).await?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let admins = lock_user_and_admins(&transaction, id).await?;
    if admins == [id] {
        return Err(EraseError::LastAdmin);
    }
    let (user, locked_hash) = lock_user(&transaction, id).await?.ok_or(ChangeProfileError::Gone)?;
    if !user.is_active || locked_hash != hash {
        return Err(ChangeProfileError::WrongPassword.into());
    }
    erase_user(&transaction, id).await?;
    insert_mail(&transaction, &service.fields, &letter::erased(&user.email)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}
