//! Single fields of a row: prices to exact cents, numbers, truths and texts.

use crate::limits::{DESCRIPTION_CHARACTERS_MAX, IMAGE_URL_CHARACTERS_MAX, METADATA_BYTES_MAX, NAME_CHARACTERS_MAX};
use crate::product::is_web_address;

/// A broken rule: its word and its explanation.
pub(crate) type Broken = (&'static str, String);

/// `12.50` as 1250 cents, exactly.
pub(crate) fn price(text: &str) -> Result<i32, Broken> {
    let malformed = || ("not_a_price", format!("must be an amount like 12.50, not `{}`", shortened(text)));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.starts_with('-') && is_number(&whole[1..]) && is_number(decimals) {
        return Err(("out_of_range", "must not be negative".to_owned()));
    }
    if whole.is_empty() || !is_number(whole) || !is_number(decimals) || text.ends_with('.') {
        return Err(malformed());
    }
    if decimals.len() > 2 {
        return Err(("too_many_decimals", format!("must have at most two decimals, not `{}`", shortened(text))));
    }
    let too_much = || ("out_of_range", "must be at most 21474836.47".to_owned());
    let cents = format!("{whole}{decimals:0<2}");
    cents.parse().map_err(|_beyond| too_much())
}

/// A whole number from 0.
pub(crate) fn count(text: &str) -> Result<i32, Broken> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(("not_a_number", format!("must be a whole number, not `{}`", shortened(text))));
    }
    match text.parse() {
        Ok(number @ 0..) => Ok(number),
        _ => Err(("out_of_range", format!("must be from 0 to {}, not {}", i32::MAX, shortened(text)))),
    }
}

/// A truth in any of its usual spellings.
pub(crate) fn truth(text: &str) -> Result<bool, Broken> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "1" => Ok(true),
        "false" | "f" | "no" | "0" => Ok(false),
        _ => Err(("not_a_truth", format!("must be true or false, not `{}`", shortened(text)))),
    }
}

/// A name: 1 to 255 characters, not blank, no control characters.
pub(crate) fn name(text: &str) -> Result<&str, Broken> {
    if text.trim().is_empty() {
        return Err(("blank", "must not be blank".to_owned()));
    }
    bounded(text, NAME_CHARACTERS_MAX)
}

/// A description, which may be long.
pub(crate) fn description(text: &str) -> Result<&str, Broken> {
    bounded(text, DESCRIPTION_CHARACTERS_MAX)
}

/// A picture's address.
pub(crate) fn image_url(text: &str) -> Result<&str, Broken> {
    let text = bounded(text, IMAGE_URL_CHARACTERS_MAX)?;
    if is_web_address(text) {
        Ok(text)
    } else {
        Err(("not_a_web_address", "must begin with http:// or https:// and hold no blanks".to_owned()))
    }
}

/// Metadata as JSON text of a bounded size.
pub(crate) fn metadata_size(text: &str) -> Result<(), Broken> {
    if text.len() <= METADATA_BYTES_MAX {
        return Ok(());
    }
    Err(("too_large", format!("must be at most {METADATA_BYTES_MAX} bytes as JSON, not {}", text.len())))
}

fn bounded(text: &str, characters_max: usize) -> Result<&str, Broken> {
    // A text is never of more characters than bytes: most need no counting.
    if text.len() > characters_max {
        let count = text.chars().count();
        if count > characters_max {
            return Err(("length", format!("must have at most {characters_max} characters, not {count}")));
        }
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(("control_character", "must not hold control characters; remove them".to_owned()));
    }
    Ok(text)
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::{count, price, truth};

    #[test]
    fn prices_are_exact_cents() {
        for (text, cents) in [("0", 0), ("12.50", 1250), ("12.5", 1250), ("0.07", 7), ("21474836.47", i32::MAX)] {
            assert_eq!(price(text), Ok(cents), "{text}");
        }
        let rule = |text| price(text).unwrap_err().0;
        assert_eq!(rule("0.001"), "too_many_decimals");
        assert_eq!(rule("-1.00"), "out_of_range");
        assert_eq!(rule("21474836.48"), "out_of_range");
        assert_eq!(rule("99999999999999999999"), "out_of_range");
        for text in ["", ".", "1.", "1,50", "$5", "1e3", "١٢", "--1", "1 000", "-", "+5"] {
            assert!(matches!(rule(text), "not_a_price" | "out_of_range"), "{text}");
        }
    }

    #[test]
    fn counts_start_at_nothing() {
        assert_eq!(count("007"), Ok(7));
        for text in ["", "-1", "1.0", "2147483648", "x", "-"] {
            assert!(count(text).is_err(), "{text}");
        }
        assert!(truth("TRUE").unwrap() && !truth("f").unwrap() && truth("maybe").is_err());
    }
}
