//! A letter with the way to a new password, so many a minute and a day. The answer is the same for every address.

use deadpool_postgres::GenericClient;
use estore_kit::db::DbError;

use crate::email::Email;
use crate::letter::{self, Purpose};
use crate::operations::resend_verification::ResendError;
use crate::secret::RandomToken;
use crate::service::Service;
use crate::store::mails::{insert_mail, may_mail};
use crate::store::tokens::insert_password_reset_token;
use crate::store::users::lock_user_by_email;

/// Writes to the address if it has an active account and the limit allows.
pub(crate) async fn request_password_reset(service: &Service, email: &Email) -> Result<(), ResendError> {
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    let owner = lock_user_by_email(&transaction, email).await?;
    let Some(owner) = owner.filter(|owner| owner.is_active) else { return Ok(()) };
    if may_mail(&transaction, email.as_str(), &[Purpose::PasswordReset]).await? {
        mail_reset(&transaction, service, owner.id, email).await?;
    }
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}

/// A fresh token and the letter that carries it.
pub(super) async fn mail_reset<C: GenericClient>(
    db: &C,
    service: &Service,
    user_id: i32,
    email: &Email,
) -> Result<(), ResendError> {
    let token = RandomToken::generate()?;
    insert_password_reset_token(db, user_id, &token.hash, service.reset_minutes()).await?;
    let config = &service.config;
    let letter = letter::password_reset(email, &config.public_url, &token.secret, config.reset_minutes);
    Ok(insert_mail(db, &service.fields, &letter).await?)
}
