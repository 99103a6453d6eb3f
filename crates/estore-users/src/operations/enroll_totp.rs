//! An authenticator of codes: asked for, confirmed by its first code, ended.

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::letter;
use crate::limits::RECOVERY_CODES;
use crate::operations::change_profile::ChangeProfileError;
use crate::operations::check_second_factor::{SecondFactorError, Shown, confirm_owner, now_seconds, place};
use crate::operations::step_up::require_verified;
use crate::secret::{NoRandomness, Secret, token_hash};
use crate::service::Service;
use crate::store::mails::insert_mail;
use crate::store::second_factors as store;
use crate::store::users::{find_user, lock_user};
use crate::totp;

/// A second factor that waits for its first code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TotpSecret {
    /// The secret in base 32, to type into the authenticator.
    #[schema(value_type = String, example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub(crate) secret: Secret,
    /// The same as what authenticators read from a picture.
    #[schema(value_type = String, example = "otpauth://totp/EStore:ada%40example.com?secret=…")]
    pub(crate) uri: Secret,
}

/// What the account has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TotpState {
    /// Whether its log-ins by password take a code of an authenticator.
    pub(crate) is_enabled: bool,
    /// Recovery codes that were not used yet.
    #[schema(minimum = 0)]
    pub(crate) recovery_codes_left: i64,
}

/// Codes that do when the device is lost, each once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// They are not shown again.
    #[schema(value_type = Vec<String>, example = json!(["MFRG-GZDF-MZTW-Q2LK"]))]
    pub(crate) recovery_codes: Vec<Secret>,
}

/// Why the second factor stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TotpError {
    #[error("there is a second factor already")]
    Enabled,
    #[error("there is none, or it waited too long")]
    NotThere,
    #[error("log-ins take no second step")]
    NoSecondStep,
    #[error("the address is not proved")]
    Unverified(Problem),
    #[error(transparent)]
    Unconfirmed(#[from] ChangeProfileError),
    #[error(transparent)]
    Code(#[from] SecondFactorError),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<TotpError> for Problem {
    fn from(error: TotpError) -> Self {
        match error {
            TotpError::Enabled => {
                Self::conflict("totp_enabled", "The account has an authenticator already; end that first.")
            }
            TotpError::NoSecondStep => Self::conflict(
                "no_second_step",
                "The account does not log in by two steps. Begin by POST /v1/users/me/totp or /v1/users/me/passkeys/begin.",
            ),
            TotpError::NotThere => Self::conflict(
                "totp_not_started",
                "There is no authenticator, or it was not confirmed within an hour. Begin by POST /v1/users/me/totp.",
            ),
            TotpError::Unverified(problem) => problem,
            TotpError::Unconfirmed(error) => error.into(),
            TotpError::Code(error) => error.into(),
            TotpError::Random(error) => Self::internal(error),
            TotpError::Db(error) => error.into(),
        }
    }
}

/// Begins: nothing is asked of log-ins until the first code has come.
pub(crate) async fn begin(
    service: &Service,
    caller: &Caller,
    password: Option<&Secret>,
    shown: Shown<'_>,
) -> Result<TotpSecret, TotpError> {
    require_verified(caller).map_err(TotpError::Unverified)?;
    let found = store::find_totp_factor(&service.db.client().await?, caller.user_id).await?;
    if found.is_some_and(|found| found.is_confirmed) {
        return Err(TotpError::Enabled);
    }
    confirm_owner(service, caller, password, shown).await?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let user = find_user(&transaction, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    let secret = totp::new_secret()?;
    let sealed = service.sealer.seal(&*secret, &place(user.id)).map_err(SecondFactorError::from)?;
    if !store::put_totp_factor(&transaction, user.id, &sealed).await? {
        return Err(TotpError::Enabled);
    }
    transaction.commit().await.map_err(DbError::from)?;
    Ok(TotpSecret { secret: Secret::new(totp::base32(&*secret)), uri: Secret::new(totp::uri(&*secret, &user.email)) })
}

/// Confirms by the first code, from which on log-ins take two steps.
pub(crate) async fn confirm(service: &Service, caller: &Caller, code: &Secret) -> Result<RecoveryCodes, TotpError> {
    let found = store::find_totp_factor(&service.db.client().await?, caller.user_id).await?;
    let found = found.filter(|found| !found.is_stale).ok_or(TotpError::NotThere)?;
    if found.is_confirmed {
        return Err(TotpError::Enabled);
    }
    let secret = service.sealer.unseal(&found.sealed, &place(caller.user_id)).map_err(SecondFactorError::from)?;
    let step = totp::matching_step(&secret, code, now_seconds()).ok_or(SecondFactorError::Wrong)?;
    let (codes, hashes) = new_codes()?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let user = find_user(&transaction, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    if !store::confirm_totp_factor(&transaction, user.id, &found.sealed, step).await? {
        return Err(TotpError::NotThere);
    }
    store::replace_recovery_codes(&transaction, user.id, &hashes).await?;
    insert_mail(&transaction, &service.fields, &letter::totp_on(&user.email)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(codes)
}

/// Ends it, after the proof that the owner asks. Passkeys stay.
pub(crate) async fn end(
    service: &Service,
    caller: &Caller,
    password: Option<&Secret>,
    shown: Shown<'_>,
) -> Result<(), TotpError> {
    confirm_owner(service, caller, password, shown).await?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    // Whoever ends another second step of the account waits, and sees that this one is gone.
    let (user, _) = lock_user(&transaction, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    if !store::delete_totp_factor(&transaction, user.id).await? {
        return Err(TotpError::NotThere);
    }
    store::delete_idle_recovery_codes(&transaction, user.id).await?;
    let takes_more = store::find_second_steps(&transaction, user.id).await?.any();
    insert_mail(&transaction, &service.fields, &letter::totp_off(&user.email, takes_more)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}

/// New recovery codes in place of the old ones, after the proof that the owner asks.
pub(crate) async fn renew_codes(
    service: &Service,
    caller: &Caller,
    password: Option<&Secret>,
    shown: Shown<'_>,
) -> Result<RecoveryCodes, TotpError> {
    confirm_owner(service, caller, password, shown).await?;
    let (codes, hashes) = new_codes()?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    lock_user(&transaction, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    if !store::find_second_steps(&transaction, caller.user_id).await?.any() {
        return Err(TotpError::NoSecondStep);
    }
    store::replace_recovery_codes(&transaction, caller.user_id, &hashes).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(codes)
}

/// What the account has.
pub(crate) async fn state(service: &Service, caller: &Caller) -> Result<TotpState, DbError> {
    let steps = store::find_second_steps(&service.db.client().await?, caller.user_id).await?;
    Ok(TotpState { is_enabled: steps.takes_totp, recovery_codes_left: steps.codes_left })
}

/// Recovery codes, and their hashes.
pub(super) fn new_codes() -> Result<(RecoveryCodes, Vec<String>), NoRandomness> {
    let codes = (0..RECOVERY_CODES).map(|_| totp::new_recovery_code()).collect::<Result<Vec<_>, _>>()?;
    let hashes = codes.iter().filter_map(token_hash).collect();
    Ok((RecoveryCodes { recovery_codes: codes }, hashes))
}
