//! The proof of an address: of a new account, with the password that was registered for it, or of the one that an account
//! changes to.

use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;

use crate::letter;
use crate::secret::{Secret, token_hash};
use crate::service::Service;
use crate::store::log_in_failures::forget_log_in_failures;
use crate::store::mails::insert_mail;
use crate::store::sessions::end_sessions_of_user;
use crate::store::tokens::{Verified, delete_verification_tokens, use_email_change, use_verification_token};
use crate::store::users::forget_registrant;

/// Why an address is not proved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error("the token is unknown, used or ended")]
    BadToken,
    #[error("another account has taken the address meanwhile")]
    Taken,
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for VerifyError {
    fn from(error: DbError) -> Self {
        if error.is_constraint("users_email_key") { Self::Taken } else { Self::Db(error) }
    }
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::BadToken => Self::bad_request(
                "verification_token_invalid",
                "The token is unknown, was used before or has ended. Ask for a new one.",
            ),
            VerifyError::Taken => Self::conflict("email_taken", "Another account has this address by now."),
            VerifyError::Db(error) => error.into(),
        }
    }
}

/// Uses the token up.
pub(crate) async fn verify_email(service: &Service, token: &Secret) -> Result<(), VerifyError> {
    let hash = token_hash(token).ok_or(VerifyError::BadToken)?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    if let Some(Verified { user_id, email, has_another_password }) = use_verification_token(&transaction, &hash).await?
    {
        if has_another_password {
            // Somebody else registered after this one, and has not proved the address.
            end_sessions_of_user(&transaction, user_id, "password").await?;
            forget_registrant(&transaction, user_id).await?;
        }
        // Whoever tried to log in while the letter was on its way need not wait for that.
        forget_log_in_failures(&transaction, &service.throttle.subjects(&email, None).account).await?;
        return Ok(transaction.commit().await.map_err(DbError::from)?);
    }
    let changed = use_email_change(&transaction, &hash).await?.ok_or(VerifyError::BadToken)?;
    delete_verification_tokens(&transaction, changed.user_id).await?;
    insert_mail(&transaction, &service.fields, &letter::email_changed(&changed.old_email, &changed.new_email)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}
