//! A new account, and a letter to the owner of its address. The answer is the same for a taken address.

use deadpool_postgres::Transaction;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;

use crate::email::Email;
use crate::hashing::HashingError;
use crate::letter::{self, Purpose};
use crate::operations::resend_verification::mail_verification;
use crate::password;
use crate::secret::{NoRandomness, Secret};
use crate::service::Service;
use crate::store::mails::{insert_mail, may_mail};
use crate::store::sessions::end_sessions_of_user;
use crate::store::users::{insert_user, lock_user_by_email, replace_registration};

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterError {
    #[error("the input breaks a rule")]
    Invalid(Problem),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Invalid(problem) => problem,
            RegisterError::Hashing(error) => error.into(),
            RegisterError::Random(error) => Self::internal(error),
            RegisterError::Db(error) => error.into(),
        }
    }
}

/// Makes the account unless there is one, and writes to the owner either way.
pub(crate) async fn register(service: &Service, email: &str, password: &Secret) -> Result<(), RegisterError> {
    let email = check(service, email, password).await.map_err(RegisterError::Invalid)?;
    // Hashed for a taken address as well: the time must not tell.
    let hash = service.hasher.hash(password).await?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    if let Some(user_id) = insert_user(&transaction, &email, &hash).await? {
        mail_verification(&transaction, service, user_id, &email).await?;
    } else {
        tell_owner(service, &transaction, &email, &hash).await?;
    }
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}

/// So many letters a minute and a day, however often somebody tries. An address that nobody has proved is whoever's
/// registered it last, unless its account is one of the staff's, which an administrator gave to whoever reads its mail; each
/// letter confirms the registration that it was written for.
async fn tell_owner(
    service: &Service,
    transaction: &Transaction<'_>,
    email: &Email,
    hash: &str,
) -> Result<(), RegisterError> {
    let owner = lock_user_by_email(transaction, email).await?;
    let Some(owner) = owner.filter(|owner| owner.is_active) else { return Ok(()) };
    if !may_mail(transaction, email.as_str(), &[Purpose::Verification, Purpose::AlreadyRegistered]).await? {
        return Ok(());
    }
    if owner.is_verified || owner.has_role {
        let letter = letter::already_registered(email, &service.config.public_url);
        return Ok(insert_mail(transaction, &service.fields, &letter).await?);
    }
    replace_registration(transaction, owner.id, hash).await?;
    end_sessions_of_user(transaction, owner.id, "password").await?;
    Ok(mail_verification(transaction, service, owner.id, email).await?)
}

async fn check(service: &Service, email: &str, password: &Secret) -> Result<Email, Problem> {
    let mut rules = Rules::new();
    let parsed = Email::check(email, "/email", &mut rules);
    password::check(password.reveal(), parsed.as_ref(), "/password", &mut rules);
    service.breached.check(password, "/password", &mut rules).await?;
    rules.finish()?;
    parsed.ok_or_else(|| Problem::internal("an address was neither taken nor refused"))
}
