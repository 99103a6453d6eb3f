//! One more verification letter, so many a minute and a day. The answer is the same for every address.
//!
//! Where several people registered an address, nobody knows whose the last password is: who reads its mail chooses one.

use deadpool_postgres::GenericClient;
use estore_kit::db::DbError;
use estore_kit::problem::Problem;

use crate::email::Email;
use crate::letter::{self, Purpose};
use crate::operations::request_password_reset::mail_reset;
use crate::secret::{NoRandomness, RandomToken};
use crate::service::Service;
use crate::store::mails::{insert_mail, may_mail};
use crate::store::tokens::insert_verification_token;
use crate::store::users::lock_user_by_email;

/// The letters that count for the limit of those that verify, and of those that have a password chosen.
const VERIFICATION: &[Purpose] = &[Purpose::Verification, Purpose::AlreadyRegistered];
const RESET: &[Purpose] = &[Purpose::PasswordReset];

/// Why no letter could be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResendError {
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Random(error) => Self::internal(error),
            ResendError::Db(error) => error.into(),
        }
    }
}

impl From<ResendError> for crate::operations::register::RegisterError {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Random(error) => Self::Random(error),
            ResendError::Db(error) => Self::Db(error),
        }
    }
}

/// Writes to the address if an account waits for its proof and the limit allows.
pub(crate) async fn resend_verification(service: &Service, email: &Email) -> Result<(), ResendError> {
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    let owner = lock_user_by_email(&transaction, email).await?;
    let Some(owner) = owner.filter(|owner| owner.is_active && !owner.is_verified) else { return Ok(()) };
    let is_contested = owner.registered_again;
    let purposes = if is_contested { RESET } else { VERIFICATION };
    if may_mail(&transaction, email.as_str(), purposes).await? {
        match is_contested {
            true => mail_reset(&transaction, service, owner.id, email).await?,
            false => mail_verification(&transaction, service, owner.id, email).await?,
        }
    }
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}

/// A fresh token, which confirms the present password, and the letter that carries it.
pub(crate) async fn mail_verification<C: GenericClient>(
    db: &C,
    service: &Service,
    user_id: i32,
    email: &Email,
) -> Result<(), ResendError> {
    let token = RandomToken::generate()?;
    insert_verification_token(db, user_id, &token.hash, service.verification_hours()).await?;
    let config = &service.config;
    let letter = letter::verification(email, &config.public_url, &token.secret, config.verification_hours);
    Ok(insert_mail(db, &service.fields, &letter).await?)
}
