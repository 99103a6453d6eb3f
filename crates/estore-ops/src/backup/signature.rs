//! Ed25519 over the manifest: a set is ours, whoever can write to the target.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::BackupError;

/// What is signed begins with this, so that no signature of another kind fits.
const CONTEXT: &[u8] = b"estore backup manifest 1\n";
const PREFIX: &str = "ed25519:";
const PUBLIC_KEY_BYTES: usize = 32;

/// The key that signs manifests.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

impl SigningKey {
    /// Reads the key of a file, which is made when missing. Safe beside another process doing the same.
    ///
    /// # Errors
    /// [`BackupError::File`], or [`BackupError::Key`] when the file holds something else.
    pub fn read_or_make(path: &Path) -> Result<Self, BackupError> {
        if !path.exists() {
            make(path).map_err(BackupError::file("make the signing key", path))?;
        }
        let der = fs::read(path).map(Zeroizing::new).map_err(BackupError::file("read the signing key", path))?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| BackupError::Key {
            what: format!("the signing key {}", path.display()),
            reason: "it holds no Ed25519 key".to_owned(),
        })?;
        Ok(Self { pair })
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> SignerKey {
        SignerKey { bytes: self.pair.public_key().as_ref().to_vec() }
    }

    /// The signature of a manifest's text, as it is stored beside it.
    #[must_use]
    pub fn sign(&self, manifest: &[u8]) -> Vec<u8> {
        let (key, signature) = (self.public(), URL_SAFE_NO_PAD.encode(self.sign_as(CONTEXT, manifest)));
        format!("{{\n  \"key\": \"{key}\",\n  \"signature\": \"{signature}\"\n}}\n").into_bytes()
    }

    /// The signature of a text of the kind that `context` names.
    pub(crate) fn sign_as(&self, context: &[u8], text: &[u8]) -> Vec<u8> {
        self.pair.sign(&[context, text].concat()).as_ref().to_vec()
    }
}

fn make(path: &Path) -> io::Result<()> {
    let key = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map_err(io::Error::other)?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(key.as_ref())?;
    file.sync_all()?;
    // The first to link wins; everybody then reads the same.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked.or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
}

/// The public key of whoever takes backups: `ed25519:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerKey {
    bytes: Vec<u8>,
}

impl fmt::Display for SignerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(&self.bytes))
    }
}

impl FromStr for SignerKey {
    type Err = BackupError;

    fn from_str(text: &str) -> Result<Self, BackupError> {
        let bytes = text.trim().strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        match bytes {
            Some(bytes) if bytes.len() == PUBLIC_KEY_BYTES => Ok(Self { bytes }),
            _ => Err(BackupError::Key {
                what: format!("the signer {text}"),
                reason: "a signer's key looks like ed25519:…, as `estore backup create` prints it".to_owned(),
            }),
        }
    }
}

impl SignerKey {
    /// The public half of a signing key's file; none when there is no such file.
    ///
    /// # Errors
    /// As [`SigningKey::read_or_make`].
    pub fn of(path: &Path) -> Result<Option<Self>, BackupError> {
        if path.exists() { Ok(Some(SigningKey::read_or_make(path)?.public())) } else { Ok(None) }
    }
}

impl SignerKey {
    /// The key of these bytes.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether this is its signature of a text, of the kind that `context` names.
    pub(crate) fn vouches(&self, context: &[u8], text: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.bytes);
        key.verify(&[context, text].concat(), signature).is_ok()
    }
}

/// What is stored beside a manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct Signature {
    key: String,
    signature: String,
}

impl Signature {
    /// Whether it is `signer`'s, over this manifest; else why not.
    pub(crate) fn check(&self, manifest: &[u8], signer: &SignerKey) -> Result<(), String> {
        if self.key != signer.to_string() {
            return Err(format!("it is signed by {}, not by {signer}", self.key));
        }
        let signature = URL_SAFE_NO_PAD.decode(&self.signature).unwrap_or_default();
        let is_theirs = signer.vouches(CONTEXT, manifest, &signature);
        is_theirs
            .then_some(())
            .ok_or_else(|| "the signature is not that of this manifest: one of the two was changed".to_owned())
    }

    /// The key that it says it is of.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}
