//! What a sealed field looks like: `sealed:1:<key>:<base64 of the wrapped data key, the nonce, the text and its tag>`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::aead::{AeadError, AeadKey, KEY_BYTES, OVERHEAD_BYTES, new_key};
use super::ring::RingKey;
use super::{PREFIX, Place, SealError};

const WRAPPED_BYTES: usize = OVERHEAD_BYTES + KEY_BYTES;

/// The data key of one row.
pub(super) struct RowKey {
    place: String,
    /// The name of the key that wraps it.
    by: String,
    wrapped: Vec<u8>,
    key: AeadKey,
}

impl RowKey {
    /// A new one, wrapped.
    pub(super) fn make<D: fmt::Display>(by: &RingKey, place: &Place<D>) -> Result<Self, AeadError> {
        let (bytes, place) = (new_key()?, place.to_string());
        let wrapped = by.key.seal(&*bytes, &place)?;
        Ok(Self { place, by: by.id.clone(), wrapped, key: AeadKey::of(&*bytes).ok_or(AeadError)? })
    }

    /// Seals one field of the row.
    pub(super) fn seal(&self, text: &[u8]) -> Result<String, AeadError> {
        Ok(written(&self.by, &self.wrapped, &self.key.seal(text, &self.place)?))
    }
}

fn written(by: &str, wrapped: &[u8], sealed: &[u8]) -> String {
    let mut text = format!("{PREFIX}{by}:");
    URL_SAFE_NO_PAD.encode_string([wrapped, sealed].concat(), &mut text);
    text
}

/// A sealed field, taken apart.
pub(super) struct Sealed<'a> {
    /// The name of the key that wraps its data key.
    pub(super) key: &'a str,
    wrapped: Vec<u8>,
    sealed: Vec<u8>,
}

impl<'a> Sealed<'a> {
    /// None where the text is no sealed field.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (key, rest) = text.strip_prefix(PREFIX)?.split_once(':')?;
        let mut wrapped = URL_SAFE_NO_PAD.decode(rest).ok()?;
        if wrapped.len() < WRAPPED_BYTES + OVERHEAD_BYTES {
            return None;
        }
        let sealed = wrapped.split_off(WRAPPED_BYTES);
        Some(Self { key, wrapped, sealed })
    }

    fn row_key(&self, by: &RingKey, place: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        by.key.open(&self.wrapped, place).map(Zeroizing::new).map_err(|AeadError| SealError::Broken(place.to_owned()))
    }

    /// What was sealed.
    pub(super) fn open<D: fmt::Display>(&self, by: &RingKey, place: &Place<D>) -> Result<Vec<u8>, SealError> {
        let place = place.to_string();
        let key = AeadKey::of(&self.row_key(by, &place)?);
        let opened = key.ok_or(AeadError).and_then(|key| key.open(&self.sealed, &place));
        opened.map_err(|AeadError| SealError::Broken(place))
    }

    /// The same field with its data key wrapped by another key; what it seals is not touched.
    pub(super) fn rewrapped<D: fmt::Display>(
        &self,
        by: &RingKey,
        newest: &RingKey,
        place: &Place<D>,
    ) -> Result<String, SealError> {
        let place = place.to_string();
        let wrapped = newest.key.seal(&self.row_key(by, &place)?, &place)?;
        Ok(written(&newest.id, &wrapped, &self.sealed))
    }
}
