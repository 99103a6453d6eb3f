//! Secrets that have to be read again are stored sealed (AES-256-GCM), under a key in a file of its own: a copy of the
//! database tells nothing of them.

use std::io;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use zeroize::Zeroizing;

use crate::access_token::KeyError;
use crate::key_file;

const KEY_BYTES: usize = 32;
/// The form of what is sealed.
const VERSION: u8 = 1;

/// Seals and opens.
pub(crate) struct Sealer {
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

/// Something was sealed under another key or for another place, or was altered.
#[derive(Debug, thiserror::Error)]
#[error("a sealed secret does not open: it was sealed under another key, or altered")]
pub(crate) struct SealBroken;

impl Sealer {
    /// Reads the key file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, KeyError> {
        let file = |cause| KeyError::File { path: path.display().to_string(), cause };
        let text = key_file::read_or_make(path, new_key).map_err(file)?;
        let not_a_key = || KeyError::NotASealingKey(path.display().to_string());
        let key = STANDARD.decode(text.trim()).map(Zeroizing::new).map_err(|_malformed| not_a_key())?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_length| not_a_key())?;
        Ok(Self { key })
    }

    /// Seals a secret for one place, such as a column and row, where alone it opens.
    pub(crate) fn seal(&self, secret: &[u8], place: &str) -> Result<Vec<u8>, SealBroken> {
        let mut sealed = secret.to_vec();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(place), &mut sealed).map_err(|_refused| SealBroken)?;
        Ok([&[VERSION], nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// The secret.
    pub(crate) fn unseal(&self, sealed: &[u8], place: &str) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let (version, rest) = sealed.split_first().ok_or(SealBroken)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealBroken)?;
        if *version != VERSION {
            return Err(SealBroken);
        }
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(place), &mut text).map_err(|_altered| SealBroken)?;
        Ok(Zeroizing::new(opened.to_vec()))
    }
}

fn new_key() -> io::Result<Zeroizing<String>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::fill(&mut *key).map_err(|_unspecified| io::Error::other("the system's random generator failed"))?;
    Ok(Zeroizing::new(STANDARD.encode(*key) + "\n"))
}

#[cfg(test)]
mod tests {
    use super::Sealer;

    #[test]
    fn what_is_sealed_opens_in_its_place_under_its_key_unaltered() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| Sealer::open(&folder.path().join(name)).unwrap();
        let sealed = open("key").seal(b"a secret", "row 7").unwrap();
        assert_eq!(open("key").unseal(&sealed, "row 7").unwrap().as_slice(), b"a secret");
        assert_ne!(open("key").seal(b"a secret", "row 7").unwrap(), sealed);
        assert!(open("key").unseal(&sealed, "row 8").is_err());
        assert!(open("other").unseal(&sealed, "row 7").is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open("key").unseal(&altered, "row 7").is_err(), "{at}");
        }
        assert!(open("key").unseal(&[], "row 7").is_err());
        std::fs::write(folder.path().join("short"), "YWJj").unwrap();
        assert!(Sealer::open(&folder.path().join("short")).unwrap_err().to_string().contains("short"));
    }
}
