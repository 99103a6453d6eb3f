//! Amounts as Stripe counts them. Here they are hundredths of the currency's unit, whatever the currency; Stripe counts
//! its smallest unit, which is the unit itself in some currencies and a thousandth in others.

/// Stripe counts whole units.
const WHOLE: &[&str] =
    &["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Stripe counts hundredths, and takes whole units only.
const WHOLE_IN_HUNDREDTHS: &[&str] = &["ISK", "UGX"];
/// Stripe counts thousandths, and takes hundredths only.
const THOUSANDTHS: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];

/// Cents as Stripe counts them; `None` where the currency has no such amount.
pub(crate) fn units(currency: &str, cents: i64) -> Option<i64> {
    let currency = currency.to_ascii_uppercase();
    let is_in = |list: &[&str]| list.contains(&currency.as_str());
    if is_in(WHOLE) {
        (cents % 100 == 0).then_some(cents / 100)
    } else if is_in(WHOLE_IN_HUNDREDTHS) {
        (cents % 100 == 0).then_some(cents)
    } else if is_in(THOUSANDTHS) {
        cents.checked_mul(10)
    } else {
        Some(cents)
    }
}

/// What Stripe counted, in cents.
pub(crate) fn cents(currency: &str, units: i64) -> Option<i64> {
    let currency = currency.to_ascii_uppercase();
    if WHOLE.contains(&currency.as_str()) {
        units.checked_mul(100)
    } else if THOUSANDTHS.contains(&currency.as_str()) {
        Some(units / 10)
    } else {
        Some(units)
    }
}

#[cfg(test)]
mod tests {
    use super::{cents, units};

    #[test]
    fn amounts_are_what_stripe_takes_for_the_same_money() {
        // Currency, cents here, Stripe's number.
        for (currency, here, there) in [
            ("USD", 1_250, Some(1_250)),
            ("EUR", 1, Some(1)),
            ("JPY", 50_000, Some(500)),
            ("JPY", 50_050, None),
            ("KRW", 100, Some(1)),
            ("ISK", 50_000, Some(50_000)),
            ("ISK", 50_050, None),
            ("UGX", 100, Some(100)),
            ("KWD", 1_250, Some(12_500)),
            ("HUF", 1_250, Some(1_250)),
        ] {
            assert_eq!(units(currency, here), there, "{currency} {here}");
            assert_eq!(units(&currency.to_ascii_lowercase(), here), there, "{currency} {here}");
            if let Some(there) = there {
                assert_eq!(cents(currency, there), Some(here), "{currency} {there}");
            }
        }
        assert_eq!(units("KWD", i64::MAX), None);
        assert_eq!(cents("JPY", i64::MAX), None);
    }
}
