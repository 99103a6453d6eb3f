//! What goes to browsers and comes back, in the JSON of `PublicKeyCredential.parse…OptionsFromJSON` and `toJSON`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coset::iana::EnumI64;
use estore_kit::validate::Rules;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use super::public_key::ALGORITHMS;
use super::relying_party::RelyingParty;
use crate::limits::{
    ASSERTION_BYTES_MAX, ATTESTATION_BYTES_MAX, CREDENTIAL_ID_BYTES_MAX, CREDENTIAL_ID_BYTES_MIN,
    PASSKEY_CHALLENGE_TIME, TRANSPORT_CHARACTERS_MAX, TRANSPORTS_MAX, USER_HANDLE_BYTES_MAX,
};
use crate::secret::Secret;

const PUBLIC_KEY: &str = "public-key";

/// Bytes in base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes =
            URL_SAFE_NO_PAD.decode(text).map_err(|_malformed| de::Error::custom("must be base64url without ="))?;
        Ok(Self(bytes))
    }
}

/// What `navigator.credentials.create` made, by `toJSON`. Members that are not named here are not looked at: browsers add
/// some with time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistrationCredential {
    /// The credential's id.
    #[schema(value_type = String)]
    pub(crate) id: Bytes,
    /// Always `public-key`.
    #[serde(rename = "type")]
    #[schema(example = "public-key")]
    kind: String,
    /// What the authenticator answered.
    pub(crate) response: AttestationResponse,
}

/// What the authenticator answered to a registration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttestationResponse {
    /// What the browser says of the page.
    #[serde(rename = "clientDataJSON")]
    #[schema(value_type = String)]
    pub(crate) client_data_json: Bytes,
    /// The new key; its attestation statement is not looked at.
    #[schema(value_type = String)]
    pub(crate) attestation_object: Bytes,
    /// How the authenticator is reached, such as `internal`, `hybrid` or `usb`.
    #[serde(default)]
    pub(crate) transports: Vec<String>,
}

/// What `navigator.credentials.get` answered, by `toJSON`. Members that are not named here are not looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthenticationCredential {
    /// The credential's id.
    #[schema(value_type = String)]
    pub(crate) id: Bytes,
    /// Always `public-key`.
    #[serde(rename = "type")]
    #[schema(example = "public-key")]
    kind: String,
    /// What the authenticator answered.
    pub(crate) response: AssertionResponse,
}

/// What the authenticator answered to a log-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssertionResponse {
    /// What the browser says of the page.
    #[serde(rename = "clientDataJSON")]
    #[schema(value_type = String)]
    pub(crate) client_data_json: Bytes,
    /// What the authenticator says of itself.
    #[schema(value_type = String)]
    pub(crate) authenticator_data: Bytes,
    /// Over both.
    #[schema(value_type = String)]
    pub(crate) signature: Bytes,
    /// Whose passkey it is; needed where nothing else says so.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) user_handle: Option<Bytes>,
}

impl RegistrationCredential {
    /// Notes what is too long or of another kind.
    pub(crate) fn check(&self, pointer: &str, rules: &mut Rules) {
        check_head(&self.id, &self.kind, pointer, rules);
        let AttestationResponse { client_data_json, attestation_object, transports } = &self.response;
        fits(client_data_json, ASSERTION_BYTES_MAX, &format!("{pointer}/response/clientDataJSON"), rules);
        fits(attestation_object, ATTESTATION_BYTES_MAX, &format!("{pointer}/response/attestationObject"), rules);
        let at = format!("{pointer}/response/transports");
        rules.require(transports.len() <= TRANSPORTS_MAX, &at, "length", format!("must have at most {TRANSPORTS_MAX}"));
        for (number, transport) in transports.iter().enumerate() {
            rules.text(&format!("{at}/{number}"), transport, 1..=TRANSPORT_CHARACTERS_MAX);
        }
    }
}

impl AuthenticationCredential {
    /// Notes what is too long or of another kind.
    pub(crate) fn check(&self, pointer: &str, rules: &mut Rules) {
        check_head(&self.id, &self.kind, pointer, rules);
        let AssertionResponse { client_data_json, authenticator_data, signature, user_handle } = &self.response;
        for (bytes, name) in
            [(client_data_json, "clientDataJSON"), (authenticator_data, "authenticatorData"), (signature, "signature")]
        {
            fits(bytes, ASSERTION_BYTES_MAX, &format!("{pointer}/response/{name}"), rules);
        }
        if let Some(handle) = user_handle {
            fits(handle, USER_HANDLE_BYTES_MAX, &format!("{pointer}/response/userHandle"), rules);
        }
    }
}

fn check_head(id: &Bytes, kind: &str, pointer: &str, rules: &mut Rules) {
    let fitting = CREDENTIAL_ID_BYTES_MIN..=CREDENTIAL_ID_BYTES_MAX;
    let detail = format!("must have {} to {} bytes", fitting.start(), fitting.end());
    rules.require(fitting.contains(&id.0.len()), &format!("{pointer}/id"), "length", detail);
    rules.require(kind == PUBLIC_KEY, &format!("{pointer}/type"), "unknown", format!("must be {PUBLIC_KEY:?}"));
}

fn fits(bytes: &Bytes, most: usize, pointer: &str, rules: &mut Rules) {
    rules.require(bytes.0.len() <= most, pointer, "length", format!("must have at most {most} bytes"));
}

/// A credential that there is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CredentialDescriptor {
    /// Its id.
    #[schema(value_type = String)]
    id: Bytes,
    /// Always `public-key`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// How its authenticator is reached, as it said itself.
    transports: Vec<String>,
}

impl CredentialDescriptor {
    pub(crate) fn of(id: Vec<u8>, transports: Vec<String>) -> Self {
        Self { id: Bytes(id), kind: PUBLIC_KEY, transports }
    }
}

/// The shop.
#[derive(Debug, Serialize, ToSchema)]
struct RelyingPartyEntity {
    /// The domain that passkeys are for.
    id: String,
    /// How authenticators show it.
    name: String,
}

/// The account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserEntity {
    /// Random bytes that stand for the account.
    #[schema(value_type = String)]
    id: Bytes,
    /// Its address.
    name: String,
    /// The same.
    display_name: String,
}

/// A kind of key that is taken.
#[derive(Debug, Serialize, ToSchema)]
struct KeyParameter {
    /// Always `public-key`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The algorithm's number in COSE.
    #[schema(example = -7)]
    alg: i64,
}

/// Which authenticators will do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuthenticatorSelection {
    /// Always `required`: the passkey is found without a name.
    resident_key: &'static str,
    /// The same for older browsers.
    require_resident_key: bool,
    /// `preferred`: one that cannot check who uses it does beside a password.
    user_verification: &'static str,
}

/// For `PublicKeyCredential.parseCreationOptionsFromJSON` and `navigator.credentials.create`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreationOptions {
    rp: RelyingPartyEntity,
    user: UserEntity,
    /// Good once, for five minutes, for this account and session.
    #[schema(value_type = String)]
    challenge: Secret,
    pub_key_cred_params: Vec<KeyParameter>,
    /// How long that is, in milliseconds.
    timeout: u64,
    /// The account's passkeys, so that none is made twice.
    exclude_credentials: Vec<CredentialDescriptor>,
    authenticator_selection: AuthenticatorSelection,
    /// Always `none`.
    attestation: &'static str,
}

/// For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestOptions {
    /// Good once, for five minutes.
    #[schema(value_type = String)]
    challenge: Secret,
    /// How long that is, in milliseconds.
    timeout: u64,
    /// The domain that passkeys are for.
    rp_id: String,
    /// The account's passkeys; empty for whoever is not logged in, who chooses one on their device.
    allow_credentials: Vec<CredentialDescriptor>,
    /// `required`, or `preferred` beside a password.
    user_verification: &'static str,
}

fn milliseconds() -> u64 {
    u64::try_from(PASSKEY_CHALLENGE_TIME.as_millis()).unwrap_or(u64::MAX)
}

impl CreationOptions {
    /// Asks for a passkey of the account with this address and handle.
    pub(crate) fn new(
        shop: &RelyingParty,
        challenge: Secret,
        (email, handle): (String, Vec<u8>),
        exclude_credentials: Vec<CredentialDescriptor>,
    ) -> Self {
        let selection = AuthenticatorSelection {
            resident_key: "required",
            require_resident_key: true,
            user_verification: "preferred",
        };
        Self {
            rp: RelyingPartyEntity { id: shop.id.clone(), name: shop.name.clone() },
            user: UserEntity { id: Bytes(handle), name: email.clone(), display_name: email },
            challenge,
            pub_key_cred_params: ALGORITHMS.map(|alg| KeyParameter { kind: PUBLIC_KEY, alg: alg.to_i64() }).into(),
            timeout: milliseconds(),
            exclude_credentials,
            authenticator_selection: selection,
            attestation: "none",
        }
    }
}

impl RequestOptions {
    /// Asks for one of these passkeys, or any where there is none.
    pub(crate) fn new(
        shop: &RelyingParty,
        challenge: Secret,
        allow_credentials: Vec<CredentialDescriptor>,
        beside_password: bool,
    ) -> Self {
        let user_verification = if beside_password { "preferred" } else { "required" };
        Self { challenge, timeout: milliseconds(), rp_id: shop.id.clone(), allow_credentials, user_verification }
    }
}
