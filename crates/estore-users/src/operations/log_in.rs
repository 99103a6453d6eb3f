//! Credentials in, a session out. An unknown address costs the same work as a wrong password.

use estore_kit::db::DbError;
use estore_kit::problem::{FieldError, Problem};
use estore_kit::validate::Rules;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::email::Email;
use crate::hashing::{HashingError, Verdict};
use crate::limits::{PASSWORD_BYTES_MAX, REFUSAL_TIME_MIN};
use crate::password;
use crate::secret::{NoRandomness, RandomToken, Secret};
use crate::service::Service;
use crate::store::sessions::{NewSession, begin_session};
use crate::store::users::{Credentials, find_credentials, rehash_password, replace_one_time_password};
use crate::user::Standing;

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogInError {
    #[error("the address and password do not belong together, or the account is not active")]
    InvalidCredentials,
    #[error("a one-time password came without the one that is to take its place")]
    NewPasswordNeeded,
    #[error("the new password breaks a rule, or none was asked for")]
    Invalid(Problem),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error("cannot sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => {
                Self::unauthorized("invalid_credentials", "The address or the password is wrong.")
            }
            LogInError::NewPasswordNeeded => Self::forbidden(
                "password_change_required",
                "This password is good for one log-in, which has to bring the password that takes its place: new_password.",
            )
            .with_errors(vec![FieldError {
                pointer: "/new_password".into(),
                code: "missing".into(),
                detail: "is needed with a one-time password".into(),
            }]),
            LogInError::Invalid(problem) => problem,
            LogInError::Hashing(error) => error.into(),
            LogInError::Random(error) => Self::internal(error),
            LogInError::Signing(error) => Self::internal(error),
            LogInError::Db(error) => error.into(),
        }
    }
}

/// The two tokens of a session.
#[derive(Debug)]
pub(crate) struct TokenPair {
    pub(crate) access: Secret,
    pub(crate) refresh: Secret,
    /// How long the access token is good for.
    pub(crate) seconds: u32,
}

/// Begins a session. A one-time password only does together with `new_password`, which takes its place.
pub(crate) async fn log_in(
    service: &Service,
    email: &str,
    password: &Secret,
    new_password: Option<&Secret>,
    user_agent: Option<&str>,
) -> Result<TokenPair, LogInError> {
    let start = Instant::now();
    let found = match Email::parse(email) {
        Ok(email) => find_credentials(&service.db.client().await?, email.as_str()).await?,
        Err(_malformed) => None,
    };
    let found = match check_password(service, found, password).await {
        Err(refused @ LogInError::InvalidCredentials) => {
            // Hashes from elsewhere take another time than ours; it must not tell who has one.
            sleep_until(start + REFUSAL_TIME_MIN).await;
            return Err(refused);
        }
        checked => checked?,
    };
    let user = settle_one_time_password(service, email, found, new_password).await?;
    let refresh = RandomToken::generate()?;
    let id = Uuid::now_v7();
    let session =
        NewSession { id, user_id: user.id, user_agent, days: service.session_days(), token_hash: &refresh.hash };
    begin_session(&service.db.client().await?, &session).await?;
    let access = service.signer.sign(&user, id)?;
    Ok(TokenPair { access, refresh: refresh.secret, seconds: service.signer.seconds() })
}

async fn check_password(
    service: &Service,
    found: Option<Credentials>,
    password: &Secret,
) -> Result<Credentials, LogInError> {
    if password.reveal().len() > PASSWORD_BYTES_MAX {
        return Err(LogInError::InvalidCredentials);
    }
    let hash = found.as_ref().map(|found| found.hashed_password.as_str());
    let verdict = service.hasher.verify(password, hash).await?;
    let found = found.filter(|found| found.is_active && verdict != Verdict::Wrong);
    let found = found.ok_or(LogInError::InvalidCredentials)?;
    if verdict == Verdict::RightButOld {
        let fresh = service.hasher.hash(password).await?;
        rehash_password(&service.db, found.standing.id, &found.hashed_password, &fresh).await?;
    }
    Ok(found)
}

/// Puts the new password in the place of a one-time password; of two at once, one has it.
async fn settle_one_time_password(
    service: &Service,
    email: &str,
    found: Credentials,
    new_password: Option<&Secret>,
) -> Result<Standing, LogInError> {
    let mut rules = Rules::new();
    match (found.is_one_time, new_password) {
        (false, None) => return Ok(found.standing),
        (true, None) => return Err(LogInError::NewPasswordNeeded),
        (false, Some(_)) => {
            let detail = "is only for one-time passwords; change a password by PATCH /v1/users/me";
            rules.broken("/new_password", "not_asked_for", detail);
        }
        (true, Some(new)) => {
            password::check(new.reveal(), Email::parse(email).ok().as_ref(), "/new_password", &mut rules)
        }
    }
    rules.finish().map_err(LogInError::Invalid)?;
    let Some(new) = new_password else { return Err(LogInError::NewPasswordNeeded) };
    let hash = service.hasher.hash(new).await?;
    let is_ours = replace_one_time_password(&service.db, found.standing.id, &found.hashed_password, &hash).await?;
    if is_ours { Ok(found.standing) } else { Err(LogInError::InvalidCredentials) }
}
