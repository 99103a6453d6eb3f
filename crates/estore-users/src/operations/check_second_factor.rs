//! Whether somebody has the device, or a recovery code, beside the password.

use std::time::{SystemTime, UNIX_EPOCH};

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::{FieldError, Problem};

use crate::letter;
use crate::operations::change_profile::{ChangeProfileError, confirm_password};
use crate::sealing::SealBroken;
use crate::secret::{Secret, token_hash};
use crate::service::Service;
use crate::store::log_in_failures::count_log_in_failure;
use crate::store::mails::insert_mail;
use crate::store::second_factors::{use_recovery_code, use_totp_step};
use crate::store::users::find_user;
use crate::totp::{matching_step, normal_recovery_code};

/// What was shown beside the password: one of them, or nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shown<'a> {
    pub(crate) totp: Option<&'a Secret>,
    pub(crate) recovery_code: Option<&'a Secret>,
}

/// What is told of a code that does not do.
pub(crate) const WRONG_CODE: &str =
    "The code is wrong or was used before. Wait for the next one, and look at the device's clock.";

/// Why it does not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecondFactorError {
    #[error("the account has a second factor, and nothing was shown of it")]
    Needed,
    #[error("the code is wrong, or was used before")]
    Wrong,
    #[error(transparent)]
    Sealed(#[from] SealBroken),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Needed => Self::forbidden(
                "totp_required",
                "This account logs in by two steps: send the code of the authenticator as totp, or a recovery_code.",
            )
            .with_errors(vec![FieldError {
                pointer: "/totp".into(),
                code: "missing".into(),
                detail: "is the code that the authenticator shows".into(),
            }]),
            SecondFactorError::Wrong => Self::forbidden("second_factor_wrong", WRONG_CODE),
            SecondFactorError::Sealed(error) => Self::internal(error),
            SecondFactorError::Db(error) => error.into(),
        }
    }
}

/// The place where an account's secret opens.
pub(crate) fn place(user_id: i32) -> String {
    format!("totp_factors|secret|{user_id}")
}

/// Seconds since 1970.
pub(crate) fn now_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Uses up what was shown. Each code does once, and none that is older than one that was used.
pub(crate) async fn check_second_factor(
    service: &Service,
    user_id: i32,
    sealed: &[u8],
    shown: Shown<'_>,
) -> Result<(), SecondFactorError> {
    let is_good = match (shown.totp, shown.recovery_code) {
        (None, None) => return Err(SecondFactorError::Needed),
        (Some(code), None) => {
            let secret = service.sealer.unseal(sealed, &place(user_id))?;
            match matching_step(&secret, code, now_seconds()) {
                Some(step) => use_totp_step(&service.db.client().await?, user_id, step).await?,
                None => false,
            }
        }
        (None, Some(code)) => use_code(service, user_id, code).await?,
        (Some(_), Some(_)) => false,
    };
    if is_good { Ok(()) } else { Err(SecondFactorError::Wrong) }
}

/// The owner is told: whoever finds the paper has the codes.
async fn use_code(service: &Service, user_id: i32, code: &Secret) -> Result<bool, SecondFactorError> {
    let Some(hash) = token_hash(&normal_recovery_code(code)) else { return Ok(false) };
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    if !use_recovery_code(&transaction, user_id, &hash).await? {
        return Ok(false);
    }
    if let Some(user) = find_user(&transaction, user_id).await? {
        insert_mail(&transaction, &letter::recovery_code_used(&user.email)).await?;
    }
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(true)
}

/// The present password, and what was shown beside it where the account asks for that; whoever guesses either waits.
/// Answers the password's hash.
pub(crate) async fn confirm_owner(
    service: &Service,
    caller: &Caller,
    password: Option<&Secret>,
    shown: Shown<'_>,
) -> Result<String, ChangeProfileError> {
    let subject = service.throttle.session(&caller.session_id);
    let _turn = service.throttle.turn(&subject).await;
    let (hash, sealed) = confirm_password(service, caller, password).await?;
    let Some(sealed) = sealed else { return Ok(hash) };
    match check_second_factor(service, caller.user_id, &sealed, shown).await {
        Err(wrong @ SecondFactorError::Wrong) => {
            count_log_in_failure(&service.db.client().await?, &[&subject]).await?;
            Err(wrong.into())
        }
        checked => Ok(checked.map(|()| hash)?),
    }
}
