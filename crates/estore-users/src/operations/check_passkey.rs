//! Whether a passkey signed the challenge that it was given, for the purpose and the session that it was given for.

use deadpool_postgres::GenericClient;
use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use uuid::Uuid;

use crate::letter;
use crate::operations::check_second_factor::now_seconds;
use crate::passkey::ChallengePurpose;
use crate::secret::{Secret, token_hash};
use crate::service::Service;
use crate::store::mails::insert_mail;
use crate::store::passkeys::{
    Bound, ShownPasskey, answer_open_challenge, find_passkey_assertion, suspect_passkey, use_passkey,
};
use crate::webauthn::public_key::PublicKey;
use crate::webauthn::relying_party::RelyingParty;
use crate::webauthn::wire::AuthenticationCredential;
use crate::webauthn::{Assertion, Fault};

/// Why a passkey does not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasskeyError {
    #[error("this shop has no name that passkeys can be made for")]
    Off,
    #[error("what came back breaks a rule")]
    Invalid(Problem),
    #[error("what came back is not what was asked for: {0}")]
    Fault(#[from] Fault),
    #[error("the challenge is unknown, used, ended, or for something else")]
    BadChallenge,
    #[error("the passkey is unknown or refused, is another account's, or did not sign this")]
    Refused,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is told of a passkey that does not do; as much of one that there is not.
pub(crate) const REFUSED: &str =
    "The passkey is unknown here, was removed, is refused, or did not sign this. Try another one, or the password.";

impl From<PasskeyError> for Problem {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::Off => Self::conflict(
                "passkeys_off",
                "This shop takes no passkeys: whoever runs it has to set users.passkeys.rp_id and users.passkeys.origins.",
            ),
            PasskeyError::Invalid(problem) => problem,
            PasskeyError::Fault(fault) => {
                Self::bad_request("passkey_invalid", format!("Not what was asked for: {fault}."))
            }
            PasskeyError::BadChallenge => Self::bad_request(
                "passkey_challenge_invalid",
                "The challenge is unknown, was used before, is older than five minutes, or was made for something else. \
                 Begin anew.",
            ),
            PasskeyError::Refused => Self::forbidden("passkey_refused", REFUSED),
            PasskeyError::Db(error) => error.into(),
        }
    }
}

/// The shop as authenticators know it.
pub(crate) fn relying_party(service: &Service) -> Result<&RelyingParty, PasskeyError> {
    service.relying_party.as_ref().ok_or(PasskeyError::Off)
}

/// The session of a caller.
pub(crate) fn session_of(caller: &Caller) -> Uuid {
    Uuid::parse_str(&caller.session_id).unwrap_or_default()
}

/// What a passkey is good for where it is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) bound: Bound,
    /// Whose it must be; nobody in particular where it says itself who logs in.
    pub(crate) user_id: Option<i32>,
    /// Nothing else proves who is there, so that the authenticator has to have checked.
    pub(crate) stands_alone: bool,
}

impl Asked {
    /// Beside the password of this account.
    pub(crate) fn beside_password(user_id: i32) -> Self {
        let bound = Bound { purpose: ChallengePurpose::SecondStep, session: None };
        Self { bound, user_id: Some(user_id), stands_alone: false }
    }

    /// For a log-in by nothing else.
    pub(crate) fn to_log_in() -> Self {
        let bound = Bound { purpose: ChallengePurpose::LogIn, session: None };
        Self { bound, user_id: None, stands_alone: true }
    }

    /// From whoever is logged in, in place of the password or beside it.
    pub(crate) fn of(caller: &Caller, stands_alone: bool) -> Self {
        let bound = Bound { purpose: ChallengePurpose::StepUp, session: Some(session_of(caller)) };
        Self { bound, user_id: Some(caller.user_id), stands_alone }
    }
}

/// The passkey, which has signed; its challenge is used up.
pub(crate) async fn check_passkey(
    service: &Service,
    shown: &AuthenticationCredential,
    asked: Asked,
) -> Result<ShownPasskey, PasskeyError> {
    let shop = relying_party(service)?;
    let mut rules = Rules::new();
    shown.check("/passkey", &mut rules);
    rules.finish().map_err(PasskeyError::Invalid)?;
    let assertion = shop.read_assertion(&shown.response)?;
    if asked.stands_alone && !assertion.flags.is_user_verified() {
        return Err(Fault::NotVerified.into());
    }
    let client = service.db.client().await?;
    let found = answer(service, &client, &assertion.challenge, (asked.bound, &shown.id.0)).await?;
    let found = found.ok_or(PasskeyError::BadChallenge)?.ok_or(PasskeyError::Refused)?;
    if !is_its(&found, shown, &assertion, asked) || !service.admits(found.is_verified) {
        return Err(PasskeyError::Refused);
    }
    if use_passkey(&client, found.id, assertion.sign_count, assertion.flags.is_backed_up()).await? {
        return Ok(found);
    }
    drop(client);
    suspect(service, &found, assertion.sign_count).await?;
    Err(PasskeyError::Refused)
}

/// Uses a challenge up; nothing where it is none that is good for this, and otherwise the passkey, if there is one.
async fn answer<C: GenericClient>(
    service: &Service,
    client: &C,
    challenge: &Secret,
    (bound, credential_id): (Bound, &[u8]),
) -> Result<Option<Option<ShownPasskey>>, DbError> {
    let Some(hash) = token_hash(challenge) else { return Ok(None) };
    match bound.session {
        Some(session) => find_passkey_assertion(client, &hash, (bound.purpose, session), credential_id).await,
        None if service.open_challenges.hold(challenge, bound.purpose, now_seconds()) => {
            answer_open_challenge(client, &hash, bound.purpose, credential_id).await
        }
        None => Ok(None),
    }
}

/// Whether this passkey signed, and may for whoever is asked.
fn is_its(found: &ShownPasskey, shown: &AuthenticationCredential, assertion: &Assertion, asked: Asked) -> bool {
    let handle = shown.response.user_handle.as_ref();
    let names_its_owner = handle.map_or(asked.user_id.is_some(), |handle| handle.0 == found.user_handle);
    let is_owners = asked.user_id.is_none_or(|user_id| user_id == found.user_id);
    let is_of_its_kind = assertion.flags.is_backup_eligible() == found.is_backup_eligible;
    let key = PublicKey::read(&found.public_key);
    let signed = key.is_ok_and(|key| assertion.is_signed_by(&key));
    found.is_usable && names_its_owner && is_owners && is_of_its_kind && signed
}

/// Two that count differently are a copy: neither is taken any more, and the owner is told.
async fn suspect(service: &Service, found: &ShownPasskey, sign_count: u32) -> Result<(), DbError> {
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    if suspect_passkey(&transaction, found.id, sign_count).await? {
        tracing::warn!(user_id = found.user_id, passkey = %found.id, "a passkey's counter went backwards; it is refused");
        insert_mail(&transaction, &service.fields, &letter::passkey_suspected(&found.email)).await?;
    }
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}
