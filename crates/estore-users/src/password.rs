//! Which passwords are taken: long enough, and not among those that are tried first.

use estore_kit::validate::Rules;
use zxcvbn::zxcvbn;

use crate::email::Email;
use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN};

/// A password that is found within so many well-chosen guesses is common: lists of leaked ones, words with
/// digits for letters or at the end, dates, rows of keys, repetitions, and what stands in the address.
const GUESSES_MIN: u64 = 1_000_000;
/// So many characters are looked at; the time of looking grows faster than the length.
const JUDGED_CHARACTERS_MAX: usize = 40;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordFault {
    /// Too short or too long.
    #[error("must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters")]
    Length,
    /// The address, or its name.
    #[error("must not be the e-mail address or the name in it")]
    LikeEmail,
    /// Found within few guesses.
    #[error("is among the passwords that are tried first; take several words, or a longer one")]
    Common,
}

impl PasswordFault {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::LikeEmail => "password_like_email",
            Self::Common => "password_common",
        }
    }
}

/// Notes a broken rule at the pointer.
pub(crate) fn check(password: &str, email: Option<&Email>, pointer: &str, rules: &mut Rules) {
    if let Err(fault) = judge(password, email) {
        rules.broken(pointer, fault.code(), fault.to_string());
    }
}

/// Whether an account with this address may have this password.
pub(crate) fn judge(password: &str, email: Option<&Email>) -> Result<(), PasswordFault> {
    let characters = password.chars().count();
    let fits = (PASSWORD_CHARACTERS_MIN..=PASSWORD_CHARACTERS_MAX).contains(&characters);
    if !fits || password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordFault::Length);
    }
    let lower = password.to_lowercase();
    if email.is_some_and(|email| lower == email.as_str() || lower == email.local()) {
        return Err(PasswordFault::LikeEmail);
    }
    let known: Vec<&str> = email.iter().flat_map(|email| [email.as_str(), email.local()]).collect();
    let judged: String = password.chars().take(JUDGED_CHARACTERS_MAX).collect();
    if zxcvbn(&judged, &known).guesses() < GUESSES_MIN { Err(PasswordFault::Common) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{PasswordFault, judge};
    use crate::email::Email;

    #[test]
    fn what_is_tried_first_is_refused() {
        let tried = [
            "password",
            "Password1",
            "P@ssw0rd",
            "p4ssword!",
            "12345678",
            "87654321",
            "123456789",
            "qwertyui",
            "1q2w3e4r",
            "1qaz2wsx",
            "asdfghjkl",
            "qwerty123",
            "abcd1234",
            "iloveyou",
            "ILoveYou2",
            "aaaaaaaa",
            "abababab",
            "abcabcabc",
            "football1",
            "sunshine",
            "welcome123",
            "letmein!!",
            "monkey123",
            "dragon12",
            "superman",
            "trustno1",
            "19840704",
            "admin123",
            "passw0rd!",
            "zxcvbnm1",
            "1234567890",
            "123123123",
            "charlotte",
            "blink182",
            "drowssap",
            "passwordpassword",
            "12345678901234567890123456789012345678901234567890",
        ];
        let taken: Vec<_> = tried.iter().filter(|tried| judge(tried, None) != Err(PasswordFault::Common)).collect();
        assert!(taken.is_empty(), "{taken:?}");
    }

    #[test]
    fn what_nobody_tries_is_taken() {
        for password in [
            "correct horse battery",
            "kartoffel-turm-9",
            "密码很长而且没人知道",
            "🐢🐇🦔🐿️🦇🐝🦋🐌",
            "gT7#kq2LxP",
            "dragon marsh lantern",
            "a mill of many wheels",
        ] {
            assert_eq!(judge(password, None), Ok(()), "{password}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(judge("żółw🐢ab", None), Err(PasswordFault::Length));
        assert_eq!(judge(&"aX3🐢".repeat(33), None), Err(PasswordFault::Length));
    }

    #[test]
    fn the_address_is_no_password() {
        let email = Email::parse("bartholomew.quill@example.com").unwrap();
        for password in ["bartholomew.quill@example.com", "Bartholomew.Quill"] {
            assert_eq!(judge(password, Some(&email)), Err(PasswordFault::LikeEmail), "{password}");
        }
        assert_eq!(judge("Bartholomew.Quill77", Some(&email)), Err(PasswordFault::Common));
    }
}
