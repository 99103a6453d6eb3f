//! The key that signs access tokens, and the set that others verify them with.

use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use estore_kit::auth::{Claims, ISSUER};
use estore_kit::key_file;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, OctetKeyPairParameters,
    OctetKeyPairType, PublicKeyUse, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::user::Standing;

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";
const PEM_LINE_CHARACTERS: usize = 64;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("cannot read or make the key {path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The file holds something else.
    #[error("{0} does not hold an Ed25519 private key in PKCS#8 PEM; move it away to have a new one made")]
    NotAKey(String),
    /// The file that seals holds something else.
    #[error("{0} does not hold 32 bytes in base64; bring the file back, or second factors stay closed")]
    NotASealingKey(String),
    /// The library refused.
    #[error("cannot make a token key: {0}")]
    Refused(String),
}

/// Signs access tokens.
#[derive(Clone)]
pub(crate) struct Signer {
    key: EncodingKey,
    header: Header,
    key_set: JwkSet,
    seconds: u32,
    naming_key: hmac::Key,
    challenge_key: hmac::Key,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("kid", &self.header.kid).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads the key file, or makes it. Tokens are good for `seconds`.
    pub(crate) fn open(path: &Path, seconds: u32) -> Result<Self, KeyError> {
        let file = |cause| KeyError::File { path: path.display().to_string(), cause };
        let text = key_file::read_or_make(path, new_key).map_err(file)?;
        Self::of(&text, seconds)?.ok_or_else(|| KeyError::NotAKey(path.display().to_string()))
    }

    /// Signs with the key of this PEM, if it is one.
    fn of(pem: &str, seconds: u32) -> Result<Option<Self>, KeyError> {
        let Some(der) = der_of(pem) else { return Ok(None) };
        let Ok(pair) = Ed25519KeyPair::from_pkcs8(&der) else { return Ok(None) };
        let key_set = JwkSet { keys: vec![public_key(pair.public_key().as_ref())?] };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = key_set.keys.first().and_then(|key| key.common.key_id.clone());
        // Keys of their own for names and challenges, which the processes that share the file share too.
        let own_key = |of: &[u8]| {
            let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &der), of);
            hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())
        };
        let naming_key = own_key(b"estore: names of those who log in");
        let challenge_key = own_key(b"estore: challenges of passkeys");
        Ok(Some(Self { key: EncodingKey::from_ed_der(&der), header, key_set, seconds, naming_key, challenge_key }))
    }

    pub(crate) fn key_set(&self) -> &JwkSet {
        &self.key_set
    }

    /// The key of names that stand for people and places in the database.
    pub(crate) fn naming_key(&self) -> hmac::Key {
        self.naming_key.clone()
    }

    /// The key that signs challenges for passkeys.
    pub(crate) fn challenge_key(&self) -> hmac::Key {
        self.challenge_key.clone()
    }

    /// How long a token is good for.
    pub(crate) fn seconds(&self) -> u32 {
        self.seconds
    }

    /// A token for a session of a user, who last proved who they are at `authenticated_at`, in seconds since 1970.
    pub(crate) fn sign(
        &self,
        user: &Standing,
        session: Uuid,
        authenticated_at: i64,
    ) -> Result<Secret, jsonwebtoken::errors::Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: user.id.to_string(),
            sid: session.to_string(),
            iat: now,
            exp: now.saturating_add(i64::from(self.seconds)),
            auth_time: Some(authenticated_at),
            verified: user.is_verified,
            roles: user.all_roles(),
            permissions: Some(user.permissions().words().into_iter().map(str::to_owned).collect()),
        };
        encode(&self.header, &claims, &self.key).map(Secret::new)
    }

    /// A key that ends with this process.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn passing() -> Option<Self> {
        Self::of(&new_key().ok()?, 900).ok()?
    }

    /// A token that says anything.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn sign_anything(&self, claims: &serde_json::Value) -> Option<String> {
        encode(&self.header, claims, &self.key).ok()
    }
}

fn public_key(public: &[u8]) -> Result<Jwk, KeyError> {
    let mut key = Jwk {
        common: CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(KeyAlgorithm::EdDSA),
            ..CommonParameters::default()
        },
        algorithm: AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x: URL_SAFE_NO_PAD.encode(public),
        }),
    };
    let name = key.thumbprint(ThumbprintHash::SHA256).map_err(|error| KeyError::Refused(error.to_string()))?;
    key.common.key_id = Some(name);
    Ok(key)
}

fn new_key() -> io::Result<Zeroizing<String>> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new());
    pkcs8.map(|pkcs8| pem_of(pkcs8.as_ref())).map_err(|error| io::Error::other(error.to_string()))
}

fn pem_of(der: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(STANDARD.encode(der));
    // With room for all of it: what grows leaves copies behind.
    let mut pem = Zeroizing::new(String::with_capacity(2 * text.len() + PEM_BEGIN.len() + PEM_END.len()));
    pem.push_str(PEM_BEGIN);
    pem.push('\n');
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(PEM_LINE_CHARACTERS));
        pem.push_str(line);
        pem.push('\n');
        rest = behind;
    }
    pem.push_str(PEM_END);
    pem.push('\n');
    pem
}

fn der_of(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once(PEM_BEGIN)?;
    let (text, _) = rest.split_once(PEM_END)?;
    let text: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    STANDARD.decode(text.as_bytes()).map(Zeroizing::new).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use estore_kit::auth::{Permission, Verifier};
    use uuid::Uuid;

    use super::Signer;
    use crate::user::Standing;

    #[tokio::test]
    async fn a_key_is_made_once_and_its_tokens_verify_by_the_published_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/key.pem");
        let first = Signer::open(&path, 900).unwrap();
        let again = Signer::open(&path, 900).unwrap();
        assert_eq!(first.key_set(), again.key_set());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let user = Standing { id: 7, is_verified: true, is_admin: true, roles: vec!["staff".into()] };
        let token = first.sign(&user, Uuid::nil(), 0).unwrap();
        let caller = Verifier::given(again.key_set()).verify(token.reveal()).await.unwrap();
        assert!(caller.user_id == 7 && caller.verified && caller.is_admin && caller.may(Permission::Orders));
        assert!(!format!("{first:?}").contains("key:"));
    }

    #[test]
    fn a_file_that_holds_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, "hello").unwrap();
        assert!(Signer::open(&path, 900).unwrap_err().to_string().contains("key.pem"));
    }
}
