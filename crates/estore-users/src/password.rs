//! Which passwords are taken: long enough, and not among those that are tried first.

use std::collections::HashSet;
use std::sync::LazyLock;

use estore_kit::validate::Rules;

use crate::email::Email;
use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN};

/// Words that stand alone or with a short decoration in most lists of leaked passwords; our own choice.
static WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_words.txt").lines().filter(|line| !line.starts_with('#')).collect());
/// Rows and walks of keyboards, the alphabet and the digits: any run of them is a sequence.
const SEQUENCES: [&str; 12] = [
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop[]", "qwertzuiop", "azertyuiop", "asdfghjkl;'", "zxcvbnm,./",
    "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm", "q1w2e3r4t5y6u7i8o9p0", "147258369",
];
/// How many characters may be left around a word before it counts as more than decoration.
const DECORATION_CHARACTERS_MAX: usize = 4;
/// Repetitions of up to so many characters are seen.
const REPEATED_CHARACTERS_MAX: usize = 4;
/// Passwords of digits alone need more of them: dates and telephone numbers are tried early.
const DIGITS_ALONE_MIN: usize = 12;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordFault {
    /// Too short or too long.
    #[error("must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters")]
    Length,
    /// The address, or its name.
    #[error("must not be the e-mail address or a part of it")]
    LikeEmail,
    /// Repetitions, sequences, digits alone, or a common word.
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
    if !(PASSWORD_CHARACTERS_MIN..=PASSWORD_CHARACTERS_MAX).contains(&characters) || password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordFault::Length);
    }
    let lower = password.to_lowercase();
    if email.is_some_and(|email| is_like_email(&lower, email)) {
        return Err(PasswordFault::LikeEmail);
    }
    let digits_alone = characters < DIGITS_ALONE_MIN && lower.chars().all(|c| c.is_ascii_digit());
    if digits_alone || is_repetition(&lower) || is_sequence(&lower) || is_word(&lower) {
        return Err(PasswordFault::Common);
    }
    Ok(())
}

fn is_like_email(lower: &str, email: &Email) -> bool {
    let bare = trim_decoration(lower);
    lower == email.as_str() || lower == email.local() || (bare == email.local() && bare.len() > 3)
}

fn is_repetition(lower: &str) -> bool {
    let characters: Vec<char> = lower.chars().collect();
    (1..=REPEATED_CHARACTERS_MAX).any(|period| characters.iter().zip(characters.iter().skip(period)).all(|(a, b)| a == b))
}

/// Whether the text is made of at most two runs of a sequence, in either direction.
fn is_sequence(lower: &str) -> bool {
    let run = |text: &str| SEQUENCES.iter().any(|sequence| sequence.contains(text) || sequence.contains(&reversed(text)));
    lower.is_ascii() && (run(lower) || (2..lower.len()).any(|at| run(&lower[..at]) && run(&lower[at..])))
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

/// Whether the text is a common word, or two of them, in its plain form or with letters written as signs, with no more
/// around it than a short decoration.
fn is_word(lower: &str) -> bool {
    let decorated = |text: &str| {
        let bare = trim_decoration(text);
        let around = text.chars().count() - bare.chars().count();
        around <= DECORATION_CHARACTERS_MAX && (WORDS.contains(bare) || is_two_words(bare))
    };
    decorated(lower) || decorated(&plain(lower)) || decorated(&plain(trim_decoration(lower))) || WORDS.contains(lower)
}

fn is_two_words(bare: &str) -> bool {
    bare.is_ascii() && (3..bare.len().saturating_sub(2)).any(|at| WORDS.contains(&bare[..at]) && WORDS.contains(&bare[at..]))
}

fn trim_decoration(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

fn plain(lower: &str) -> String {
    let letter = |c| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    lower.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::{PasswordFault, judge};
    use crate::email::Email;

    #[test]
    fn what_is_tried_first_is_refused() {
        let tried = [
            "password", "Password1", "P@ssw0rd", "p4ssword!", "12345678", "87654321", "123456789", "qwertyui", "1q2w3e4r", "1qaz2wsx",
            "asdfghjkl", "qwerty123", "abcd1234", "iloveyou", "ILoveYou2", "aaaaaaaa", "abababab", "abcabcabc", "football1", "sunshine",
            "welcome123", "letmein!!", "monkey123", "dragon12", "superman", "trustno1", "19840704", "admin123", "passw0rd!", "zxcvbnm1",
        ];
        let taken: Vec<_> = tried.iter().filter(|password| judge(password, None) != Err(PasswordFault::Common)).collect();
        assert!(taken.is_empty(), "{taken:?}");
    }

    #[test]
    fn what_nobody_tries_is_taken() {
        for password in ["correct horse battery", "kartoffel-turm-9", "密码很长而且没人知道", "🐢🐇🦔🐿️🦇🐝🦋🐌", "gT7#kq2LxP", "dragon marsh lantern"] {
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
        let email = Email::parse("bartholomew@example.com").unwrap();
        for password in ["bartholomew@example.com", "Bartholomew", "bartholomew77"] {
            assert_eq!(judge(password, Some(&email)), Err(PasswordFault::LikeEmail), "{password}");
        }
    }
}
