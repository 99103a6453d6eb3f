//! One key that seals and opens (AES-256-GCM), each thing for one place.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes that sealing adds: the nonce before and the tag behind.
pub(super) const OVERHEAD_BYTES: usize = NONCE_LEN + 16;

/// It was sealed under another key or for another place, or was altered; or there are no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open: it was sealed under another key, or altered")]
pub struct AeadError;

/// A key. It never prints. Its nonces are random: good for four billion things.
pub struct AeadKey(RandomizedNonceKey);

impl std::fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AeadKey(…)")
    }
}

impl AeadKey {
    /// The key of 32 bytes; none of any other number.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes).ok().map(Self)
    }

    /// Seals for one place: nonce, text and tag.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal(&self, text: &[u8], place: &str) -> Result<Vec<u8>, AeadError> {
        let mut sealed = text.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(place), &mut sealed).map_err(|_refused| AeadError)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// What was sealed for this place.
    ///
    /// # Errors
    /// When it was sealed under another key or for another place, or was altered.
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<Vec<u8>, AeadError> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(AeadError)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(place), &mut text).map_err(|_altered| AeadError)?.len();
        text.truncate(opened);
        Ok(text)
    }
}

/// Random bytes for a key.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_key() -> Result<Zeroizing<[u8; KEY_BYTES]>, AeadError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::fill(&mut *key).map_err(|_unspecified| AeadError)?;
    Ok(key)
}
