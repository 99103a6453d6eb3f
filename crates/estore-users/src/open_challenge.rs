//! Challenges of whoever is not logged in. Nobody keeps them: each says itself until when it is good and is signed for what it
//! is for, so that however many log-ins are begun, none takes another one's place.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::limits::PASSKEY_CHALLENGE_TIME;
use crate::passkey::ChallengePurpose;
use crate::secret::{NoRandomness, Secret, random_bytes};

const RANDOM_BYTES: usize = 32;
const SAID_BYTES: usize = RANDOM_BYTES + size_of::<i64>();

/// Makes them, and knows its own again in every process that has the key.
pub(crate) struct OpenChallenges(hmac::Key);

impl OpenChallenges {
    /// Signs by a key that only UserService has.
    pub(crate) fn new(key: hmac::Key) -> Self {
        Self(key)
    }

    /// One for this, good for [`PASSKEY_CHALLENGE_TIME`] from `now`, in seconds since 1970.
    pub(crate) fn make(&self, purpose: ChallengePurpose, now: i64) -> Result<Secret, NoRandomness> {
        let time = i64::try_from(PASSKEY_CHALLENGE_TIME.as_secs()).unwrap_or(0);
        let said = [random_bytes::<RANDOM_BYTES>()?.as_slice(), &now.saturating_add(time).to_be_bytes()].concat();
        let tag = hmac::sign(&self.0, &signed(purpose, &said));
        Ok(Secret::new(URL_SAFE_NO_PAD.encode([said.as_slice(), tag.as_ref()].concat())))
    }

    /// Whether it is one of ours for this, and its time is not over.
    pub(crate) fn hold(&self, challenge: &Secret, purpose: ChallengePurpose, now: i64) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(challenge.reveal()).unwrap_or_default();
        let Some((said, tag)) = bytes.split_at_checked(SAID_BYTES) else { return false };
        let Some((_, until)) = said.split_last_chunk() else { return false };
        hmac::verify(&self.0, &signed(purpose, said), tag).is_ok() && now <= i64::from_be_bytes(*until)
    }
}

fn signed(purpose: ChallengePurpose, said: &[u8]) -> Vec<u8> {
    [purpose.word().as_bytes(), said].concat()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::OpenChallenges;
    use crate::passkey::ChallengePurpose::{LogIn, Registration, SecondStep, StepUp};
    use crate::secret::{Secret, token_hash};

    fn challenges(key: u8) -> OpenChallenges {
        OpenChallenges::new(hmac::Key::new(hmac::HMAC_SHA256, &[key; 32]))
    }

    #[test]
    fn a_challenge_is_good_for_its_purpose_its_time_and_its_key_only() {
        let made = challenges(7).make(LogIn, 1_000).unwrap();
        assert!(token_hash(&made).is_some(), "it can be looked up");
        for (now, is_good) in [(1_000, true), (1_300, true), (1_301, false), (i64::MAX, false)] {
            assert_eq!(challenges(7).hold(&made, LogIn, now), is_good, "{now}");
        }
        for other in [SecondStep, StepUp, Registration] {
            assert!(!challenges(7).hold(&made, other, 1_000), "{other:?}");
        }
        assert!(!challenges(8).hold(&made, LogIn, 1_000));
        assert!(challenges(7).make(LogIn, 1_000).unwrap() != made);
    }

    #[test]
    fn no_byte_of_it_can_be_changed_and_nothing_else_is_one() {
        let made = challenges(7).make(SecondStep, 1_000).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(made.reveal()).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let altered = Secret::new(URL_SAFE_NO_PAD.encode(altered));
            assert!(!challenges(7).hold(&altered, SecondStep, 1_000), "{at}");
        }
        for length in 0..bytes.len() {
            let cut = Secret::new(URL_SAFE_NO_PAD.encode(&bytes[..length]));
            assert!(!challenges(7).hold(&cut, SecondStep, 0), "{length}");
        }
        // One text a challenge: it is by its text that it does once.
        for other in [format!("{}=", made.reveal()), format!(" {}", made.reveal()), format!("{}A", made.reveal())] {
            assert!(!challenges(7).hold(&Secret::new(other.clone()), SecondStep, 1_000), "{other}");
        }
    }
}
