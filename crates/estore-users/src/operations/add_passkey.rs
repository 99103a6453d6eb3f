//! A passkey that a device has made is kept, and its owner is told.

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use serde::Serialize;
use utoipa::ToSchema;

use crate::letter;
use crate::limits::{PASSKEY_NAME_CHARACTERS_MAX, PASSKEYS_MAX};
use crate::operations::change_profile::ChangeProfileError;
use crate::operations::check_passkey::{PasskeyError, relying_party, session_of};
use crate::operations::enroll_totp::new_codes;
use crate::passkey::Passkey;
use crate::secret::{NoRandomness, Secret, token_hash};
use crate::service::Service;
use crate::store::mails::insert_mail;
use crate::store::passkeys::{NewPasskey, insert_passkey, use_passkey_challenge};
use crate::store::second_factors::{find_second_steps, replace_recovery_codes};
use crate::store::users::lock_user;
use crate::webauthn::NewCredential;
use crate::webauthn::wire::RegistrationCredential;

/// What is to be kept.
#[derive(Debug)]
pub(crate) struct PasskeyWish {
    pub(crate) name: String,
    pub(crate) is_second_step: bool,
    pub(crate) credential: RegistrationCredential,
}

/// A passkey that was added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddedPasskey {
    /// The passkey.
    #[serde(flatten)]
    pub(crate) passkey: Passkey,
    /// What does when the device is lost, each once; with the account's first second step, and shown this once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub(crate) recovery_codes: Vec<Secret>,
}

/// Why there is no new passkey.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddPasskeyError {
    #[error("the credential is known already")]
    Known,
    #[error("the account has too many")]
    TooMany,
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    #[error(transparent)]
    Account(#[from] ChangeProfileError),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for AddPasskeyError {
    fn from(error: DbError) -> Self {
        if error.is_constraint("passkeys_credential_once") { Self::Known } else { Self::Db(error) }
    }
}

impl From<AddPasskeyError> for Problem {
    fn from(error: AddPasskeyError) -> Self {
        match error {
            AddPasskeyError::Known => Self::conflict("passkey_known", "This passkey is registered already."),
            AddPasskeyError::TooMany => Self::conflict(
                "too_many_passkeys",
                format!("You have {PASSKEYS_MAX} passkeys; remove one that is not needed."),
            ),
            AddPasskeyError::Passkey(error) => error.into(),
            AddPasskeyError::Account(error) => error.into(),
            AddPasskeyError::Random(error) => Self::internal(error),
            AddPasskeyError::Db(error) => error.into(),
        }
    }
}

/// Keeps it. With the account's first second step come recovery codes.
pub(crate) async fn add_passkey(
    service: &Service,
    caller: &Caller,
    wish: &PasskeyWish,
) -> Result<AddedPasskey, AddPasskeyError> {
    let credential = read(service, wish)?;
    let challenge = token_hash(&credential.challenge).ok_or(PasskeyError::BadChallenge)?;
    let mut client = service.db.client().await?;
    // It is used up even where nothing comes of it.
    let handle = use_passkey_challenge(&client, &challenge, session_of(caller)).await?;
    let handle = handle.ok_or(PasskeyError::BadChallenge)?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let (user, _) = lock_user(&transaction, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    if !user.is_active {
        return Err(ChangeProfileError::Gone.into());
    }
    let is_first = wish.is_second_step && !find_second_steps(&transaction, user.id).await?.any();
    let new = NewPasskey {
        user_id: user.id,
        name: wish.name.trim(),
        credential: &credential,
        user_handle: &handle,
        transports: &wish.credential.response.transports,
        is_second_step: wish.is_second_step,
    };
    let passkey = insert_passkey(&transaction, &new).await?.ok_or(AddPasskeyError::TooMany)?;
    let mut recovery_codes = Vec::new();
    if is_first {
        let (codes, hashes) = new_codes()?;
        replace_recovery_codes(&transaction, user.id, &hashes).await?;
        recovery_codes = codes.recovery_codes;
    }
    insert_mail(&transaction, &service.fields, &letter::passkey_added(&user.email, wish.is_second_step)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(AddedPasskey { passkey, recovery_codes })
}

fn read(service: &Service, wish: &PasskeyWish) -> Result<NewCredential, PasskeyError> {
    let shop = relying_party(service)?;
    let mut rules = Rules::new();
    rules.text("/name", wish.name.trim(), 1..=PASSKEY_NAME_CHARACTERS_MAX);
    wish.credential.check("/credential", &mut rules);
    rules.finish().map_err(PasskeyError::Invalid)?;
    Ok(shop.read_registration(&wish.credential.response)?)
}
