//! Proves once more who is there, for what must not be done by a session that lies about.

use estore_kit::auth::Caller;
use estore_kit::db::DbError;
use estore_kit::problem::Problem;

use crate::limits::RECENT_LOG_IN;
use crate::operations::change_profile::ChangeProfileError;
use crate::operations::check_passkey::session_of;
use crate::operations::check_second_factor::{Shown, confirm_owner, now_seconds};
use crate::secret::Secret;
use crate::service::Service;
use crate::store::sessions::authenticate_session;

/// Why nothing was proved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepUpError {
    #[error(transparent)]
    Unconfirmed(#[from] ChangeProfileError),
    #[error("cannot sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<StepUpError> for Problem {
    fn from(error: StepUpError) -> Self {
        match error {
            StepUpError::Unconfirmed(error) => error.into(),
            StepUpError::Signing(error) => Self::internal(error),
            StepUpError::Db(error) => error.into(),
        }
    }
}

/// A fresh access token of the same session.
pub(crate) async fn step_up(
    service: &Service,
    caller: &Caller,
    password: Option<&Secret>,
    shown: Shown<'_>,
) -> Result<Secret, StepUpError> {
    confirm_owner(service, caller, password, shown).await?;
    let session = session_of(caller);
    let user = authenticate_session(&service.db.client().await?, session, caller.user_id).await?;
    let user = user.ok_or(ChangeProfileError::Gone)?;
    Ok(service.signer.sign(&user, session, now_seconds())?)
}

/// Refuses whoever has not proved the address: what they leave would be there when its owner does.
pub(crate) fn require_verified(caller: &Caller) -> Result<(), Problem> {
    if caller.verified {
        return Ok(());
    }
    let detail = "Prove your address first by the letter that was sent to it, and refresh the session.";
    Err(Problem::forbidden("email_not_verified", detail))
}

/// Refuses whoever last proved who they are more than five minutes ago.
pub(crate) fn require_recent_log_in(caller: &Caller) -> Result<(), Problem> {
    let seconds = i64::try_from(RECENT_LOG_IN.as_secs()).unwrap_or(i64::MAX);
    if now_seconds().saturating_sub(caller.authenticated_at) <= seconds {
        return Ok(());
    }
    let detail = format!(
        "You logged in more than {} minutes ago. Prove that it is you by POST /v1/tokens/step-up, and send this again \
         with the token that it answers.",
        RECENT_LOG_IN.as_secs() / 60
    );
    Err(Problem::forbidden("recent_log_in_required", detail))
}
