//! Stripe's webhook signature: `t=<seconds>,v1=<hex>[,v1=…]` over `<seconds>.<body>`.

use aws_lc_rs::hmac;

use super::config::Secret;

/// How old or how far ahead a signed event may be, in seconds.
const AGE_SECONDS_MAX: u64 = 300;
/// How many signatures of one header are looked at.
const SIGNATURES_MAX: usize = 8;

/// Why an event is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Distrust {
    /// The header does not have its form.
    #[error("the Stripe-Signature header is missing or malformed")]
    Malformed,
    /// Too old, or from the future.
    #[error("the signature is older than five minutes")]
    Age,
    /// Signed with another secret, or another body.
    #[error("the signature does not fit")]
    Mismatch,
}

/// Whether `header` signs `body` with `secret` at about `now`, in seconds since 1970.
pub(crate) fn check(secret: &Secret, header: &str, body: &[u8], now: i64) -> Result<(), Distrust> {
    let fields: Vec<(&str, &str)> = header.split(',').filter_map(|field| field.trim().split_once('=')).collect();
    let (_, time) = *fields.iter().find(|(name, _)| *name == "t").ok_or(Distrust::Malformed)?;
    let seconds: i64 = time.parse().map_err(|_not_a_number| Distrust::Malformed)?;
    let signatures: Vec<Vec<u8>> = fields
        .iter()
        .filter(|(name, _)| *name == "v1")
        .take(SIGNATURES_MAX)
        .filter_map(|(_, text)| hex::decode(text).ok())
        .collect();
    if signatures.is_empty() {
        return Err(Distrust::Malformed);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let signed = [time.as_bytes(), b".", body].concat();
    if !signatures.iter().any(|signature| hmac::verify(&key, &signed, signature).is_ok()) {
        return Err(Distrust::Mismatch);
    }
    if now.abs_diff(seconds) > AGE_SECONDS_MAX { Err(Distrust::Age) } else { Ok(()) }
}

/// The header that Stripe would send.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn sign(secret: &Secret, body: &[u8], at: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let signed = [at.to_string().as_bytes(), b".", body].concat();
    format!("t={at},v1={}", hex::encode(hmac::sign(&key, &signed)))
}

#[cfg(test)]
mod tests {
    use super::{Distrust, Secret, check, sign};

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn only_a_fresh_signature_over_this_body_is_believed() {
        let (secret, body) = (Secret::from("whsec_1"), b"{\"id\":\"evt_1\"}".as_slice());
        let good = sign(&secret, body, NOW);
        assert_eq!(check(&secret, &good, body, NOW + 299), Ok(()));
        assert_eq!(check(&secret, &good, body, NOW + 301), Err(Distrust::Age));
        assert_eq!(check(&secret, &good, body, NOW - 301), Err(Distrust::Age));
        assert_eq!(check(&secret, &good, b"{}", NOW), Err(Distrust::Mismatch));
        assert_eq!(check(&Secret::from("whsec_2"), &good, body, NOW), Err(Distrust::Mismatch));
        let later = good.replace("t=18", "t=19");
        assert_eq!(check(&secret, &later, body, NOW), Err(Distrust::Mismatch));
        for bad in ["", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=zz"] {
            assert_eq!(check(&secret, bad, body, NOW), Err(Distrust::Malformed), "{bad}");
        }
        let rolled = format!("{good},v1={}", "00".repeat(32));
        assert_eq!(check(&secret, &rolled, body, NOW), Ok(()), "one of several, while the secret is rolled");
    }
}
