//! A refresh token for the next one. One that comes back after its use ends the whole session.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;

use crate::operations::log_in::TokenPair;
use crate::secret::{NoRandomness, RandomToken, Secret, token_hash};
use crate::service::Service;
use crate::store::sessions::{end_reused_session, use_refresh_token};

/// Why the session does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    #[error("the token is unknown, used, ended, or its account is not active or has not proved its address")]
    BadToken,
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error("cannot sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::BadToken => Self::unauthorized(
                "refresh_token_invalid",
                "The refresh token is unknown, was used before or has ended. Log in again.",
            ),
            RefreshError::Random(error) => Self::internal(error),
            RefreshError::Signing(error) => Self::internal(error),
            RefreshError::Db(error) => error.into(),
        }
    }
}

/// Rotates the token; the access token says what the account is now.
pub(crate) async fn refresh_session(service: &Service, token: &Secret) -> Result<TokenPair, RefreshError> {
    let hash = token_hash(token).ok_or(RefreshError::BadToken)?;
    let next = RandomToken::generate()?;
    let client = service.db.client().await?;
    let admits_unverified = service.config.unverified_may_log_in;
    let Some((session, user, authenticated_at)) =
        use_refresh_token(&client, &hash, &next.hash, service.session_days(), admits_unverified).await?
    else {
        if let Some(user_id) = end_reused_session(&client, &hash).await? {
            tracing::warn!(user_id, "a refresh token was used twice; its session has been ended");
        }
        return Err(RefreshError::BadToken);
    };
    let access = service.signer.sign(&user, session, authenticated_at)?;
    Ok(TokenPair { access, refresh: next.secret, seconds: service.signer.seconds() })
}
