//! A new address or password for one's own account; both need the present password.

use deadpool_postgres::Transaction;
use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;

use crate::email::Email;
use crate::hashing::{HashingError, Verdict};
use crate::letter::{self, Purpose};
use crate::operations::check_second_factor::{SecondFactorError, Shown, confirm_owner};
use crate::password;
use crate::secret::{NoRandomness, RandomToken, Secret};
use crate::service::Service;
use crate::store::api_keys::count_keys_of_user;
use crate::store::log_in_failures::count_log_in_failure;
use crate::store::mails::{insert_mail, may_mail};
use crate::store::sessions::end_sessions_of_user;
use crate::store::tokens::put_email_change;
use crate::store::users::{Proof, find_proof, find_user, lock_user, lock_user_by_email, set_password};
use crate::throttle::{too_many, wait_of_session};
use crate::user::User;
use crate::webauthn::wire::AuthenticationCredential;

/// What is to change.
#[derive(Debug)]
pub(crate) struct ProfileChange {
    pub(crate) email: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) current_password: Option<Secret>,
    pub(crate) totp: Option<Secret>,
    pub(crate) recovery_code: Option<Secret>,
    pub(crate) passkey: Option<AuthenticationCredential>,
}

/// Why the account stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeProfileError {
    #[error("the account is gone or not active")]
    Gone,
    #[error("the input breaks a rule")]
    Invalid(Problem),
    #[error("the session is from when addresses need not be proved, and this one is not")]
    Unverified(Problem),
    #[error("the present password is wrong")]
    WrongPassword,
    #[error("wrong passwords were tried too often; {0} seconds are to be waited")]
    Delayed(u32),
    #[error(transparent)]
    Code(#[from] SecondFactorError),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ChangeProfileError> for Problem {
    fn from(error: ChangeProfileError) -> Self {
        match error {
            ChangeProfileError::Gone => Self::unauthorized("account_inactive", "This account is no longer active."),
            ChangeProfileError::Invalid(problem) | ChangeProfileError::Unverified(problem) => problem,
            ChangeProfileError::WrongPassword => {
                Self::forbidden("current_password_wrong", "The present password is not right; nothing was changed.")
            }
            ChangeProfileError::Delayed(seconds) => too_many(seconds),
            ChangeProfileError::Code(error) => error.into(),
            ChangeProfileError::Hashing(error) => error.into(),
            ChangeProfileError::Random(error) => Self::internal(error),
            ChangeProfileError::Db(error) => error.into(),
        }
    }
}

/// Applies the change and answers the account as it is now. A new address waits for its proof.
pub(crate) async fn change_profile(
    service: &Service,
    caller: &Caller,
    change: ProfileChange,
) -> Result<User, ChangeProfileError> {
    let new_email = check_shape(&change)?;
    let shown = Shown {
        totp: change.totp.as_ref(),
        recovery_code: change.recovery_code.as_ref(),
        passkey: change.passkey.as_ref(),
    };
    let hash = confirm_owner(service, caller, change.current_password.as_ref(), shown).await?;
    let user = find_user(&service.db.client().await?, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    let new_hash = match &change.password {
        Some(password) => Some(hash_new(service, password, &user, new_email.as_ref()).await?),
        None => None,
    };

    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let (user, locked_hash) = lock_user(&transaction, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    if !user.is_active || locked_hash != hash {
        return Err(ChangeProfileError::WrongPassword);
    }
    if let Some(hash) = new_hash {
        set_password(&transaction, user.id, &hash).await?;
        end_sessions_of_user(&transaction, user.id, "password").await?;
        let left = count_keys_of_user(&transaction, user.id).await?;
        insert_mail(&transaction, &service.fields, &letter::password_changed(&user.email, left)).await?;
    }
    if let Some(email) = new_email.filter(|email| email.as_str() != user.email) {
        ask_for_email_change(service, &transaction, &user, &email).await?;
    }
    let user = find_user(&transaction, user.id).await?.ok_or(ChangeProfileError::Gone)?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(user)
}

/// What the owner of the caller's account has to show. Whoever has a session alone cannot guess it for long.
pub(crate) async fn look_up_proof(
    service: &Service,
    caller: &Caller,
    subject: &str,
) -> Result<Proof, ChangeProfileError> {
    let found = find_proof(&service.db.client().await?, caller.user_id, subject).await?;
    let proof = found.ok_or(ChangeProfileError::Gone)?;
    let seconds = wait_of_session(proof.failed);
    if seconds > 0 { Err(ChangeProfileError::Delayed(seconds)) } else { Ok(proof) }
}

/// Whether it is the present password; one that is wrong is counted for the subject.
pub(crate) async fn check_password(
    service: &Service,
    proof: &Proof,
    password: &Secret,
    subject: &str,
) -> Result<(), ChangeProfileError> {
    match service.hasher.verify(password, Some(&proof.hashed_password)).await? {
        Verdict::Wrong => {
            count_log_in_failure(&service.db.client().await?, &[subject]).await?;
            Err(ChangeProfileError::WrongPassword)
        }
        Verdict::Right | Verdict::RightButOld => Ok(()),
    }
}

fn check_shape(change: &ProfileChange) -> Result<Option<Email>, ChangeProfileError> {
    let mut rules = Rules::new();
    let asked = change.email.is_some() || change.password.is_some();
    rules.require(asked, "", "nothing_to_change", "must hold email, password or both");
    let email = change.email.as_deref().and_then(|email| Email::check(email, "/email", &mut rules));
    if let Some(password) = &change.password {
        password::check(password.reveal(), email.as_ref(), "/password", &mut rules);
    }
    rules.finish().map_err(ChangeProfileError::Invalid)?;
    Ok(email)
}

async fn hash_new(
    service: &Service,
    password: &Secret,
    user: &User,
    new_email: Option<&Email>,
) -> Result<String, ChangeProfileError> {
    let mut rules = Rules::new();
    let present = Email::parse(&user.email).ok();
    password::check(password.reveal(), new_email.or(present.as_ref()), "/password", &mut rules);
    let checked = service.breached.check(password, "/password", &mut rules).await;
    checked.map_err(ChangeProfileError::Invalid)?;
    rules.finish().map_err(ChangeProfileError::Invalid)?;
    Ok(service.hasher.hash(password).await?)
}

/// Whether the new address is taken is told to its owner alone.
async fn ask_for_email_change(
    service: &Service,
    transaction: &Transaction<'_>,
    user: &User,
    email: &Email,
) -> Result<(), ChangeProfileError> {
    let config = &service.config;
    let token = RandomToken::generate()?;
    put_email_change(transaction, user.id, &token.hash, email, service.verification_hours()).await?;
    let owner = lock_user_by_email(transaction, email).await?;
    if may_mail(transaction, email.as_str(), &[Purpose::EmailChange, Purpose::AlreadyRegistered]).await? {
        let letter = match owner {
            Some(_) => letter::already_registered(email, &config.public_url),
            None => letter::email_change(email, &config.public_url, &token.secret, config.verification_hours),
        };
        insert_mail(transaction, &service.fields, &letter).await?;
    }
    if may_mail(transaction, &user.email, &[Purpose::EmailChangeAsked]).await? {
        insert_mail(transaction, &service.fields, &letter::email_change_asked(&user.email, email)).await?;
    }
    Ok(())
}
