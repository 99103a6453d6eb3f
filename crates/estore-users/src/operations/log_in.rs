//! Credentials in, a session out. An unknown address costs the same work as a wrong password.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::email::Email;
use crate::hashing::{HashingError, Verdict};
use crate::limits::{PASSWORD_BYTES_MAX, REFUSAL_TIME_MIN};
use crate::secret::{NoRandomness, RandomToken, Secret};
use crate::service::Service;
use crate::store::sessions::{NewSession, begin_session};
use crate::store::users::{Credentials, find_credentials, rehash_password};
use crate::user::Standing;

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogInError {
    #[error("the address and password do not belong together, or the account is not active")]
    InvalidCredentials,
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

/// Begins a session.
pub(crate) async fn log_in(
    service: &Service,
    email: &str,
    password: &Secret,
    user_agent: Option<&str>,
) -> Result<TokenPair, LogInError> {
    let start = Instant::now();
    let found = match Email::parse(email) {
        Ok(email) => find_credentials(&service.db.client().await?, email.as_str()).await?,
        Err(_malformed) => None,
    };
    let user = match check_password(service, found, password).await {
        Err(refused @ LogInError::InvalidCredentials) => {
            // Hashes from elsewhere take another time than ours; it must not tell who has one.
            sleep_until(start + REFUSAL_TIME_MIN).await;
            return Err(refused);
        }
        checked => checked?,
    };
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
) -> Result<Standing, LogInError> {
    if password.reveal().len() > PASSWORD_BYTES_MAX {
        return Err(LogInError::InvalidCredentials);
    }
    let hash = found.as_ref().map(|found| found.hashed_password.as_str());
    let verdict = service.hasher.verify(password, hash).await?;
    let found = found.filter(|found| found.is_active && verdict != Verdict::Wrong);
    let found = found.ok_or(LogInError::InvalidCredentials)?;
    if verdict == Verdict::RightButOld {
        let fresh = service.hasher.hash(password).await?;
        rehash_password(&service.db.client().await?, found.standing.id, &found.hashed_password, &fresh).await?;
    }
    Ok(found.standing)
}
