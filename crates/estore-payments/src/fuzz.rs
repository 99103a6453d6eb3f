//! What is thrown at the receiver of Stripe's events, and what our own signatures are held to: by chance (`fuzz/`), and from
//! the corpora by the tests.

use std::sync::LazyLock;

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key, verify};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use estore_kit::secret::Secret;
use uuid::Uuid;

use crate::gateway::stripe::signature::{Distrust, check, sign};
use crate::operations::receive_stripe_event::Event;
use crate::operations::record_dispute;
use crate::webhook::signing::SigningKey;

/// The moment at which events come, in seconds since 1970.
const NOW: i64 = 1_800_000_000;
/// What Stripe signs with.
const SECRET: &str = "whsec_fuzz";

/// An event that says it is Stripe's: its header `Stripe-Signature`, a line break, its body.
///
/// # Panics
/// When one is believed that is not signed, or a signed one is not believed.
pub fn stripe_events(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, body) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let secret = Secret::from(SECRET);
    if let Ok(header) = std::str::from_utf8(header)
        && check(&secret, header, body, NOW).is_ok()
    {
        let time = header.split(',').find_map(|field| field.trim().strip_prefix("t=")).expect("a time");
        let signed = [time.as_bytes(), b".", body].concat();
        let good = hex::encode(hmac::sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), &signed));
        assert!(header.to_ascii_lowercase().contains(&good), "{header}");
    }
    let good = sign(&secret, body, NOW);
    assert_eq!(check(&secret, &good, body, NOW), Ok(()));
    assert_eq!(check(&secret, &good, &[body, b" "].concat(), NOW), Err(Distrust::Mismatch));
    assert_eq!(check(&Secret::from("whsec_other"), &good, body, NOW), Err(Distrust::Mismatch));
    if let Ok(event) = Event::read(body) {
        assert!(event.id.starts_with("evt_") && !event.id.contains('\0') && !event.kind.contains('\0'));
        assert!(event.key("estore_checkout").is_none_or(|key| Uuid::parse_str(&key.to_string()) == Ok(key)));
        for is_closed in [false, true] {
            let Some(news) = record_dispute::read(event.object(), Uuid::nil(), is_closed) else { continue };
            assert!(news.amount > 0 && news.currency.len() == 3, "{news:?}");
            let texts = [&news.gateway_reference, &news.currency, &news.reason];
            assert!(texts.iter().all(|text| !text.contains('\0')), "{news:?}");
        }
    }
}

/// A body that we sign for a receiver: as a receiver verifies it, with each of the secrets that it may know.
///
/// # Panics
/// When a signature does not verify, or one of another body or receiver does.
pub fn webhook_signatures(bytes: &[u8]) {
    static KEY: LazyLock<SigningKey> = LazyLock::new(SigningKey::passing);
    let (endpoint, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let body = String::from_utf8_lossy(bytes);
    let signed = format!("{}.{NOW}.{body}", Uuid::from_u128(9));
    let header = KEY.signature(endpoint, 1..=2, &signed);
    assert!(header.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{header}");
    for version in 1..=2 {
        let secret = KEY.secret(endpoint, version);
        assert!(is_signed(&header, &secret, &signed));
        assert!(!is_signed(&header, &secret, &format!("{signed} ")));
        assert!(!is_signed(&header, &KEY.secret(other, version), &signed));
        // What somebody else put into the header is not taken.
        assert!(!is_signed(&body, &secret, &signed));
    }
}

/// As the specification of Standard Webhooks has it.
fn is_signed(header: &str, secret: &Secret, signed: &str) -> bool {
    let secret =
        secret.reveal().strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok()).expect("a secret of ours");
    let key = Key::new(HMAC_SHA256, &secret);
    let signatures = header.split(' ').filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok());
    signatures.into_iter().any(|signature| verify(&key, signed.as_bytes(), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use estore_testkit::corpus::replay;

    #[test]
    fn stripe_events_of_the_corpus_are_read() {
        replay("stripe_events", super::stripe_events);
    }

    #[test]
    fn webhook_signatures_of_the_corpus_verify() {
        replay("webhook_signatures", super::webhook_signatures);
    }
}
