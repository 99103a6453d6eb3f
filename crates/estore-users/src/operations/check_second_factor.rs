//! Whether somebody has the authenticator, a passkey or a recovery code beside the password.

use std::time::{SystemTime, UNIX_EPOCH};

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::field::AeadError;
use estore_kit::problem::{FieldError, Problem};
use estore_kit::validate::Rules;

use crate::letter;
use crate::operations::change_profile::{ChangeProfileError, check_password, look_up_proof};
use crate::operations::check_passkey::{Asked, PasskeyError, check_passkey};
use crate::operations::step_up::require_verified;
use crate::secret::{Secret, token_hash};
use crate::service::Service;
use crate::store::log_in_failures::count_log_in_failure;
use crate::store::mails::insert_mail;
use crate::store::second_factors::{use_recovery_code, use_totp_step};
use crate::store::users::{SecondStep, find_user};
use crate::totp::{matching_step, normal_recovery_code};
use crate::webauthn::wire::AuthenticationCredential;

/// What was shown beside the password: one of them, or nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shown<'a> {
    pub(crate) totp: Option<&'a Secret>,
    pub(crate) recovery_code: Option<&'a Secret>,
    pub(crate) passkey: Option<&'a AuthenticationCredential>,
}

/// What is told of a code that does not do.
pub(crate) const WRONG_CODE: &str =
    "The code is wrong or was used before. Wait for the next one, and look at the device's clock.";

/// Why it does not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecondFactorError {
    #[error("the account has an authenticator, and nothing was shown of it")]
    TotpNeeded,
    #[error("the account has passkeys, and none was shown")]
    PasskeyNeeded,
    #[error("the code is wrong, or was used before")]
    Wrong,
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    #[error(transparent)]
    Sealed(#[from] AeadError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::TotpNeeded => needed(
                "totp_required",
                "This account logs in by two steps: send the code of the authenticator as totp, or a recovery_code.",
                ("/totp", "is the code that the authenticator shows"),
            ),
            SecondFactorError::PasskeyNeeded => needed(
                "passkey_required",
                "This account logs in by two steps: send what one of its passkeys answers as passkey, or a recovery_code.",
                ("/passkey", "is what navigator.credentials.get answers"),
            ),
            SecondFactorError::Passkey(error) => error.into(),
            SecondFactorError::Wrong => Self::forbidden("second_factor_wrong", WRONG_CODE),
            SecondFactorError::Sealed(error) => Self::internal(error),
            SecondFactorError::Db(error) => error.into(),
        }
    }
}

fn needed(code: &'static str, detail: &str, (pointer, what): (&str, &str)) -> Problem {
    let missing = FieldError { pointer: pointer.to_owned(), code: "missing".into(), detail: what.to_owned() };
    Problem::forbidden(code, detail).with_errors(vec![missing])
}

impl SecondFactorError {
    /// Whether it counts as a failure: somebody may be guessing.
    pub(crate) fn is_a_guess(&self) -> bool {
        matches!(self, Self::Wrong | Self::Passkey(PasskeyError::Refused))
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
    step: &SecondStep,
    shown: Shown<'_>,
    asked: Asked,
) -> Result<(), SecondFactorError> {
    let is_good = match (shown.totp, shown.recovery_code, shown.passkey) {
        (None, None, None) if step.sealed_totp.is_some() => return Err(SecondFactorError::TotpNeeded),
        (None, None, None) => return Err(SecondFactorError::PasskeyNeeded),
        (Some(code), None, None) => use_totp(service, user_id, step, code).await?,
        (None, Some(code), None) => use_code(service, user_id, code).await?,
        (None, None, Some(passkey)) => check_passkey(service, passkey, asked).await.map(|_used| true)?,
        _ => false,
    };
    if is_good { Ok(()) } else { Err(SecondFactorError::Wrong) }
}

async fn use_totp(
    service: &Service,
    user_id: i32,
    step: &SecondStep,
    code: &Secret,
) -> Result<bool, SecondFactorError> {
    let Some(sealed) = &step.sealed_totp else { return Ok(false) };
    let secret = service.sealer.unseal(sealed, &place(user_id))?;
    match matching_step(&secret, code, now_seconds()) {
        Some(step) => Ok(use_totp_step(&service.db.client().await?, user_id, step).await?),
        None => Ok(false),
    }
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
        insert_mail(&transaction, &service.fields, &letter::recovery_code_used(&user.email)).await?;
    }
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(true)
}

/// The present password and what was shown beside it where the account asks for that, or a passkey whose authenticator
/// checked who uses it; whoever guesses waits, and whose address has to be proved does that first. Answers the password's
/// hash.
pub(crate) async fn confirm_owner(
    service: &Service,
    caller: &Caller,
    password: Option<&Secret>,
    shown: Shown<'_>,
) -> Result<String, ChangeProfileError> {
    let mut rules = Rules::new();
    let is_there = password.is_some() || shown.passkey.is_some();
    rules.require(is_there, "/current_password", "missing", "is needed for this, or a passkey");
    rules.finish().map_err(ChangeProfileError::Invalid)?;
    if !service.admits(caller.verified) {
        require_verified(caller).map_err(ChangeProfileError::Unverified)?;
    }
    let subject = service.throttle.session(&caller.session_id);
    let _turn = service.throttle.turn(&subject).await;
    let proof = look_up_proof(service, caller, &subject).await?;
    let checked = match password {
        None => {
            let asked = Asked::of(caller, true);
            check_second_factor(service, caller.user_id, &proof.second_step, shown, asked).await
        }
        Some(password) => {
            check_password(service, &proof, password, &subject).await?;
            if !proof.second_step.is_asked_for() {
                return Ok(proof.hashed_password);
            }
            let asked = Asked::of(caller, false);
            check_second_factor(service, caller.user_id, &proof.second_step, shown, asked).await
        }
    };
    match checked {
        Err(refused) if refused.is_a_guess() => {
            count_log_in_failure(&service.db.client().await?, &[&subject]).await?;
            Err(refused.into())
        }
        checked => Ok(checked.map(|()| proof.hashed_password)?),
    }
}
