//! Random tokens that are stored as hashes only.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub(crate) use estore_kit::secret::Secret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::limits::TOKEN_CHARACTERS_MAX;

const TOKEN_BYTES: usize = 32;

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system's random generator failed")]
pub(crate) struct NoRandomness;

/// Random bytes that nobody guesses.
pub(crate) fn random_bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, NoRandomness> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(&mut *bytes).map_err(|_unspecified| NoRandomness)?;
    Ok(bytes)
}

/// 256 random bits, for one use.
#[derive(Debug)]
pub(crate) struct RandomToken {
    /// What the holder gets.
    pub(crate) secret: Secret,
    /// What is stored.
    pub(crate) hash: String,
}

impl RandomToken {
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        let text = URL_SAFE_NO_PAD.encode(*random_bytes::<TOKEN_BYTES>()?);
        Ok(Self { hash: hash(&text), secret: Secret::new(text) })
    }
}

/// The secret of an API key: 256 random bits behind a word that says what it is.
#[derive(Debug)]
pub(crate) struct ApiKeySecret {
    /// What the program gets.
    pub(crate) text: Secret,
    /// What is stored.
    pub(crate) hash: String,
}

impl ApiKeySecret {
    pub(crate) fn generate(prefix: &str) -> Result<Self, NoRandomness> {
        let text = format!("{prefix}{}", RandomToken::generate()?.secret.reveal());
        Ok(Self { hash: hash(&text), text: Secret::new(text) })
    }
}

/// What a token that came back is looked up by; nothing for a text that was never one.
pub(crate) fn token_hash(token: &Secret) -> Option<String> {
    let text = token.reveal().trim();
    (!text.is_empty() && text.len() <= TOKEN_CHARACTERS_MAX).then(|| hash(text))
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::{RandomToken, Secret, token_hash};

    #[test]
    fn a_token_is_found_by_its_hash_and_never_printed() {
        let token = RandomToken::generate().unwrap();
        assert_eq!(token_hash(&token.secret).as_ref(), Some(&token.hash));
        assert_eq!((token.secret.reveal().len(), token.hash.len()), (43, 64));
        assert!(!format!("{token:?}").contains(token.secret.reveal()));
        assert_ne!(RandomToken::generate().unwrap().hash, token.hash);
    }

    #[test]
    fn what_cannot_be_a_token_is_not_looked_up() {
        assert_eq!(token_hash(&Secret::new(" ".into())), None);
        assert_eq!(token_hash(&Secret::new("x".repeat(129))), None);
    }
}
