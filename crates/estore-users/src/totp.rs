//! Codes of six digits that change every half minute (RFC 6238, HMAC-SHA-1, as every authenticator takes it), and
//! recovery codes for when the device is lost.

use aws_lc_rs::hmac;

use zeroize::Zeroizing;

use crate::secret::{NoRandomness, Secret, random_bytes};

/// What a code is made of: 160 bits.
pub(crate) const SECRET_BYTES: usize = 20;
/// How long a code is good, in seconds.
const STEP_SECONDS: i64 = 30;
/// Clocks may be one step apart.
const STEPS_APART_MAX: i64 = 1;
const DIGITS: usize = 6;
const CODES: u32 = 1_000_000;
const RECOVERY_CODE_BYTES: usize = 10;
const RECOVERY_GROUP_CHARACTERS: usize = 4;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret.
pub(crate) fn new_secret() -> Result<Zeroizing<[u8; SECRET_BYTES]>, NoRandomness> {
    random_bytes()
}

/// A new recovery code: 80 bits in groups of four letters and digits.
pub(crate) fn new_recovery_code() -> Result<Secret, NoRandomness> {
    let text = Zeroizing::new(base32(&*random_bytes::<RECOVERY_CODE_BYTES>()?));
    let groups: Vec<String> = text
        .as_bytes()
        .chunks(RECOVERY_GROUP_CHARACTERS)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Ok(Secret::new(groups.join("-")))
}

/// A recovery code as it was made, however it was typed.
pub(crate) fn normal_recovery_code(typed: &Secret) -> Secret {
    let plain: Vec<char> =
        typed.reveal().chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let groups: Vec<String> = plain.chunks(RECOVERY_GROUP_CHARACTERS).map(|group| group.iter().collect()).collect();
    Secret::new(groups.join("-"))
}

/// The time step whose code this is, now or a step before or behind, if there is one.
pub(crate) fn matching_step(secret: &[u8], typed: &Secret, now_seconds: i64) -> Option<i64> {
    let digits: String = typed.reveal().chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let typed: u32 = digits.parse().ok()?;
    let now = now_seconds / STEP_SECONDS;
    (now - STEPS_APART_MAX..=now + STEPS_APART_MAX).find(|step| code(secret, *step) == typed)
}

/// The code of a time step, after RFC 4226.
fn code(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 0xf);
    let four = bytes.get(offset..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    (u32::from_be_bytes(four) & 0x7fff_ffff) % CODES
}

/// What authenticators read, mostly from a picture.
pub(crate) fn uri(secret: &[u8], email: &str) -> String {
    let account: String = email.bytes().map(escaped).collect();
    format!("otpauth://totp/EStore:{account}?secret={}&issuer=EStore&algorithm=SHA1&digits=6&period=30", base32(secret))
}

fn escaped(byte: u8) -> String {
    let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// RFC 4648, without padding: authenticators want none.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(letter(bits >> held));
        }
    }
    if held > 0 {
        text.push(letter(bits << (5 - held)));
    }
    text
}

fn letter(bits: u32) -> char {
    ALPHABET.get((bits & 31) as usize).map_or('A', |letter| char::from(*letter))
}

#[cfg(test)]
mod tests {
    use super::{base32, code, matching_step, new_recovery_code, normal_recovery_code, uri};
    use crate::secret::Secret;

    const SECRET: &[u8] = b"12345678901234567890";

    fn typed(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let vectors = [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ];
        for (seconds, wanted) in vectors {
            assert_eq!(code(SECRET, seconds / 30), wanted, "{seconds}");
            assert_eq!(matching_step(SECRET, &typed(&format!("{wanted:06}")), seconds), Some(seconds / 30));
        }
    }

    #[test]
    fn clocks_may_be_a_step_apart_and_no_more() {
        // 287082 is the code of step 1, which lasts from 30 s to 59 s.
        for (seconds, is_good) in [(0, true), (30, true), (59, true), (89, true), (90, false), (120, false)] {
            assert_eq!(matching_step(SECRET, &typed("287 082"), seconds).is_some(), is_good, "{seconds}");
        }
        for wrong in ["287083", "28708", "2870820", "28708x", "", "２８７０８２"] {
            assert_eq!(matching_step(SECRET, &typed(wrong), 59), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_shown_as_authenticators_read_them() {
        let cases = [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ];
        for (plain, wanted) in cases {
            assert_eq!(base32(plain.as_bytes()), wanted);
        }
        let uri = uri(SECRET, "a+b@c.de");
        assert_eq!(
            uri,
            "otpauth://totp/EStore:a%2Bb%40c.de?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=EStore&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let code = new_recovery_code().unwrap();
        assert_eq!(code.reveal().len(), 19);
        let typed = Secret::new(format!(" {} ", code.reveal().to_lowercase().replace('-', " ")));
        assert!(normal_recovery_code(&typed) == code);
        assert!(new_recovery_code().unwrap() != code);
    }
}
