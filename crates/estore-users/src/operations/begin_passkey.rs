//! What a browser needs to make a passkey, or to have one sign.

use estore_kit::auth::Caller;
use estore_kit::problem::Problem;

use crate::operations::change_profile::ChangeProfileError;
use crate::operations::check_passkey::{relying_party, session_of};
use crate::operations::check_second_factor::now_seconds;
use crate::operations::step_up::{require_recent_log_in, require_verified};
use crate::passkey::ChallengePurpose;
use crate::secret::{RandomToken, random_bytes};
use crate::service::Service;
use crate::store::passkeys::{PasskeyOwner, find_passkey_owner, put_passkey_challenge};
use crate::webauthn::wire::{CreationOptions, RequestOptions};

const USER_HANDLE_BYTES: usize = 32;

/// Begins a registration, of whoever logged in of late.
pub(crate) async fn begin_registration(service: &Service, caller: &Caller) -> Result<CreationOptions, Problem> {
    require_verified(caller)?;
    require_recent_log_in(caller)?;
    let shop = relying_party(service)?;
    let session = session_of(caller);
    let client = service.db.client().await?;
    let owner = find_passkey_owner(&client, session, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    let PasskeyOwner { email, user_handle, credentials } = owner;
    let handle = match user_handle {
        Some(handle) => handle,
        None => random_bytes::<USER_HANDLE_BYTES>().map_err(Problem::internal)?.to_vec(),
    };
    let challenge = RandomToken::generate().map_err(Problem::internal)?;
    put_passkey_challenge(&client, &challenge.hash, ChallengePurpose::Registration, session, Some(&handle)).await?;
    Ok(CreationOptions::new(shop, challenge.secret, (email, handle), credentials))
}

/// Begins the proof that the owner of a session is there.
pub(crate) async fn begin_step_up(service: &Service, caller: &Caller) -> Result<RequestOptions, Problem> {
    let shop = relying_party(service)?;
    let session = session_of(caller);
    let client = service.db.client().await?;
    let owner = find_passkey_owner(&client, session, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    if owner.credentials.is_empty() {
        let detail = "The account has no passkey. Prove that it is you by the present password.";
        return Err(Problem::conflict("no_passkey", detail));
    }
    let challenge = RandomToken::generate().map_err(Problem::internal)?;
    put_passkey_challenge(&client, &challenge.hash, ChallengePurpose::StepUp, session, None).await?;
    Ok(RequestOptions::new(shop, challenge.secret, owner.credentials, false))
}

/// Begins a log-in, by the passkey alone or beside a password; the answer is the same for everybody, and nothing is kept.
pub(crate) fn begin_log_in(service: &Service, beside_password: bool) -> Result<RequestOptions, Problem> {
    let shop = relying_party(service)?;
    let purpose = if beside_password { ChallengePurpose::SecondStep } else { ChallengePurpose::LogIn };
    let challenge = service.open_challenges.make(purpose, now_seconds()).map_err(Problem::internal)?;
    Ok(RequestOptions::new(shop, challenge, Vec::new(), beside_password))
}
