//! Signatures of the Standard Webhooks kind. Each endpoint's secret is derived from one key file and the endpoint's id,
//! so that no secret stands in a row or in a backup of the database.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use estore_kit::secret::Secret;
use rand::Rng;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Bytes of the key.
const KEY_BYTES: usize = 32;

/// The key that the endpoints' secrets are derived from.
pub(crate) struct SigningKey(Key);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// The key of a file, made when missing; safe beside another process doing the same.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let told = |error: io::Error| format!("payments.webhook_key_file {}: {error}", path.display());
        if !path.exists() {
            make(path).map_err(told)?;
        }
        let text = fs::read_to_string(path).map(Zeroizing::new).map_err(told)?;
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).unwrap_or_default());
        if bytes.len() != KEY_BYTES {
            let shown = path.display();
            return Err(format!("payments.webhook_key_file {shown} does not hold {KEY_BYTES} bytes in base64"));
        }
        Ok(Self(Key::new(HMAC_SHA256, &bytes)))
    }

    /// A key that ends with this process.
    pub(crate) fn passing() -> Self {
        Self(Key::new(HMAC_SHA256, &*random()))
    }

    fn secret_bytes(&self, endpoint: Uuid, version: i32) -> Zeroizing<Vec<u8>> {
        let mut text = format!("estore webhook endpoint {endpoint}");
        if version > 1 {
            text.push_str(&format!(" {version}"));
        }
        Zeroizing::new(sign(&self.0, text.as_bytes()).as_ref().to_vec())
    }

    /// A secret, of a version from 1, as the endpoint's owner keeps it.
    pub(crate) fn secret(&self, endpoint: Uuid, version: i32) -> Secret {
        let text = Zeroizing::new(STANDARD.encode(self.secret_bytes(endpoint, version)));
        Secret::new(format!("whsec_{}", *text))
    }

    /// The header `webhook-signature` of a message: a signature for each of the secrets, the newest first.
    pub(crate) fn signature(&self, endpoint: Uuid, versions: RangeInclusive<i32>, signed: &str) -> String {
        let signature = |version| {
            let key = Key::new(HMAC_SHA256, &self.secret_bytes(endpoint, version));
            format!("v1,{}", STANDARD.encode(sign(&key, signed.as_bytes())))
        };
        versions.rev().map(signature).collect::<Vec<_>>().join(" ")
    }
}

fn random() -> Zeroizing<[u8; KEY_BYTES]> {
    let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
    rand::rng().fill_bytes(&mut *bytes);
    bytes
}

fn make(path: &Path) -> io::Result<()> {
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", *Zeroizing::new(STANDARD.encode(*random())))?;
    file.sync_all()?;
    // The first to link wins; everybody then reads the same.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::SigningKey;
    use uuid::Uuid;

    #[test]
    fn a_key_file_is_made_once_and_each_endpoint_has_its_own_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webhook-key");
        let (one, two) = (SigningKey::open(&path).unwrap(), SigningKey::open(&path).unwrap());
        let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
        assert_eq!(one.secret(a, 1), two.secret(a, 1));
        assert_ne!(one.secret(a, 1), one.secret(b, 1));
        assert_ne!(one.secret(a, 1), one.secret(a, 2));
        assert_ne!(one.secret(a, 1), SigningKey::passing().secret(a, 1));
        let (first, second, both) =
            (one.signature(a, 1..=1, "x"), one.signature(a, 2..=2, "x"), one.signature(a, 1..=2, "x"));
        assert_eq!(both, format!("{second} {first}"));
        std::fs::write(&path, "short").unwrap();
        assert!(SigningKey::open(&path).is_err());
    }
}
