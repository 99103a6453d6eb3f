//! The secrets of second factors have to be read again and are stored sealed, under a key in a file of their own: a copy of
//! the database tells nothing of them.

use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use estore_kit::field::{AeadError, AeadKey, new_key};
use estore_kit::key_file;
use zeroize::Zeroizing;

use crate::access_token::KeyError;

/// The form of what is sealed.
const VERSION: u8 = 1;

/// Seals and opens.
#[derive(Debug)]
pub(crate) struct Sealer {
    key: AeadKey,
}

impl Sealer {
    /// Reads the key file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, KeyError> {
        let file = |cause| KeyError::File { path: path.display().to_string(), cause };
        let text = key_file::read_or_make(path, new_key_text).map_err(file)?;
        let key = STANDARD.decode(text.trim()).map(Zeroizing::new).ok().and_then(|key| AeadKey::of(&key));
        Ok(Self { key: key.ok_or_else(|| KeyError::NotASealingKey(path.display().to_string()))? })
    }

    /// Seals a secret for one place, such as a column and row, where alone it opens.
    pub(crate) fn seal(&self, secret: &[u8], place: &str) -> Result<Vec<u8>, AeadError> {
        Ok([&[VERSION], self.key.seal(secret, place)?.as_slice()].concat())
    }

    /// The secret.
    pub(crate) fn unseal(&self, sealed: &[u8], place: &str) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        match sealed.split_first() {
            Some((&VERSION, rest)) => self.key.open(rest, place).map(Zeroizing::new),
            _ => Err(AeadError),
        }
    }
}

fn new_key_text() -> io::Result<Zeroizing<String>> {
    Ok(Zeroizing::new(STANDARD.encode(*new_key().map_err(io::Error::other)?) + "\n"))
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
