//! A new password by a mailed token; every session ends.

use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;

use crate::email::Email;
use crate::hashing::HashingError;
use crate::letter;
use crate::password;
use crate::secret::{Secret, token_hash};
use crate::service::Service;
use crate::store::api_keys::count_keys_of_user;
use crate::store::log_in_failures::forget_log_in_failures;
use crate::store::mails::insert_mail;
use crate::store::sessions::end_sessions_of_user;
use crate::store::tokens::{find_password_reset_token, use_password_reset_token};
use crate::store::users::set_password_by_reset;

/// Why the password stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfirmResetError {
    #[error("the token is unknown, used or ended")]
    BadToken,
    #[error("the password breaks a rule")]
    Invalid(Problem),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ConfirmResetError> for Problem {
    fn from(error: ConfirmResetError) -> Self {
        match error {
            ConfirmResetError::BadToken => Self::bad_request(
                "reset_token_invalid",
                "The token is unknown, was used before or has ended. Ask for a new one.",
            ),
            ConfirmResetError::Invalid(problem) => problem,
            ConfirmResetError::Hashing(error) => error.into(),
            ConfirmResetError::Db(error) => error.into(),
        }
    }
}

/// Uses the token up and sets the password. A password that breaks a rule leaves the token usable.
pub(crate) async fn confirm_password_reset(
    service: &Service,
    token: &Secret,
    password: &Secret,
) -> Result<(), ConfirmResetError> {
    let hash = token_hash(token).ok_or(ConfirmResetError::BadToken)?;
    let holder = find_password_reset_token(&service.db.client().await?, &hash).await?;
    let holder = holder.ok_or(ConfirmResetError::BadToken)?;
    let mut rules = Rules::new();
    let email = Email::parse(&holder.email).ok();
    password::check(password.reveal(), email.as_ref(), "/new_password", &mut rules);
    let checked = service.breached.check(password, "/new_password", &mut rules).await;
    checked.map_err(ConfirmResetError::Invalid)?;
    rules.finish().map_err(ConfirmResetError::Invalid)?;
    let hashed = service.hasher.hash(password).await?;

    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    use_password_reset_token(&transaction, &hash).await?.ok_or(ConfirmResetError::BadToken)?;
    let email = set_password_by_reset(&transaction, holder.user_id, &hashed).await?;
    let email = email.ok_or(ConfirmResetError::BadToken)?;
    end_sessions_of_user(&transaction, holder.user_id, "password").await?;
    // Whoever proves the address need not wait for what others tried.
    forget_log_in_failures(&transaction, &service.throttle.subjects(&email, None).account).await?;
    let left = count_keys_of_user(&transaction, holder.user_id).await?;
    insert_mail(&transaction, &service.fields, &letter::password_changed(&email, left)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}
