//! Cards as buyers type them. Nothing here can be stored, and nothing prints a number.

use std::fmt;

use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::billing::{self, BILLING_FIELDS};
use crate::limits::EXPIRY_YEARS_AHEAD_MAX;

/// A card number, 12 to 19 digits that pass Luhn's check. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber(Zeroizing<String>);

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(…)")
    }
}

impl CardNumber {
    /// The digits, spaces and dashes left out; `None` where they are no card number.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digits: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !matches!(c, ' ' | '-')).collect());
        let is_number = (12..=19).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        (is_number && passes_luhn(&digits)).then_some(Self(digits))
    }

    /// The digits, for the gateway alone.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The last four digits.
    #[must_use]
    pub fn last4(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// Who issued it.
    #[must_use]
    pub fn brand(&self) -> Brand {
        let start = |digits: usize| self.0.get(..digits).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        match (start(1), start(2), start(4)) {
            (4, _, _) => Brand::Visa,
            (_, 51..=55, _) | (_, _, 2221..=2720) => Brand::Mastercard,
            (_, 34 | 37, _) => Brand::Amex,
            (_, 65, _) | (_, _, 6011) => Brand::Discover,
            (_, 36 | 38 | 39, _) => Brand::Diners,
            (_, 35, _) => Brand::Jcb,
            (_, 62, _) => Brand::Unionpay,
            _ => Brand::Unknown,
        }
    }
}

/// A card's brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Brand {
    Visa,
    Mastercard,
    Amex,
    Discover,
    Diners,
    Jcb,
    Unionpay,
    Unknown,
}

impl Brand {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::Amex => "amex",
            Self::Discover => "discover",
            Self::Diners => "diners",
            Self::Jcb => "jcb",
            Self::Unionpay => "unionpay",
            Self::Unknown => "unknown",
        }
    }
}

/// A card that may be handed to a gateway. The CVC has been looked at and is gone.
#[derive(Debug, Clone)]
pub struct Card {
    /// Its number.
    pub number: CardNumber,
    /// The month it ends with, 1 to 12.
    pub expiry_month: i8,
    /// The year it ends in, four digits.
    pub expiry_year: i16,
}

/// Any JSON, read without ever repeating its content in an error.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretJson(pub(crate) Value);

impl fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretJson(…)")
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl SecretJson {
    /// The JSON, for other readers of secrets.
    pub(crate) fn value(&self) -> &Value {
        &self.0
    }
}

/// The card of the body `{payment_type, details: {card_number, expiry_month, expiry_year, cvc}}`, or each broken rule.
pub(crate) fn read_card(SecretJson(body): &SecretJson, today: Date) -> Result<Card, Problem> {
    let mut rules = Rules::new();
    let fields = body.as_object();
    rules.require(fields.is_some(), "", "wrong_type", "must be an object");
    let kind = fields.and_then(|fields| fields.get("payment_type"));
    rules.require(kind.is_some(), "/payment_type", "missing", "must be given");
    rules.require(kind.is_none_or(|kind| kind == "card"), "/payment_type", "unknown_payment_type", "must be \"card\"");
    only_known(&mut rules, fields, "", &["payment_type", "details"]);
    let details = fields.and_then(|fields| fields.get("details")).and_then(Value::as_object);
    rules.require(details.is_some(), "/details", "missing", "must be an object");
    let known = ["card_number", "expiry_month", "expiry_year", "cvc", BILLING_FIELDS[0], BILLING_FIELDS[1]];
    only_known(&mut rules, details, "/details", &known);
    details.into_iter().for_each(|details| billing::check(&mut rules, details));
    let card = details.and_then(|details| read_details(&mut rules, details, today));
    match (rules.finish(), card) {
        (Ok(()), Some(card)) => Ok(card),
        (Ok(()), None) => Err(Problem::internal("a card without a broken rule was not read")),
        (Err(problem), _) => Err(problem),
    }
}

fn only_known(rules: &mut Rules, fields: Option<&Map<String, Value>>, at: &str, known: &[&str]) {
    let unknown = fields.into_iter().flat_map(Map::keys).any(|field| !known.contains(&field.as_str()));
    // The field's name is not repeated: a number typed in the wrong place is still a secret.
    rules.require(!unknown, at, "unknown_field", format!("may hold {} only", known.join(", ")));
}

fn read_details(rules: &mut Rules, details: &Map<String, Value>, today: Date) -> Option<Card> {
    let text = |field: &str| details.get(field).and_then(Value::as_str);
    let whole = |field: &str| details.get(field).and_then(Value::as_i64);
    let number = text("card_number").and_then(CardNumber::read);
    rules.require(
        number.is_some(),
        "/details/card_number",
        "invalid_card_number",
        "must be text with the 12 to 19 digits of a card number that passes its check digit",
    );
    let cvc = text("cvc").is_some_and(|cvc| matches!(cvc.len(), 3 | 4) && cvc.bytes().all(|b| b.is_ascii_digit()));
    rules.require(cvc, "/details/cvc", "invalid_cvc", "must be text with 3 or 4 digits");
    let month = whole("expiry_month").filter(|month| (1..=12).contains(month)).and_then(|m| i8::try_from(m).ok());
    rules.require(month.is_some(), "/details/expiry_month", "out_of_range", "must be a whole number from 1 to 12");
    let years = today.year()..=today.year().saturating_add(EXPIRY_YEARS_AHEAD_MAX);
    let asked = whole("expiry_year");
    let year = asked.and_then(|year| i16::try_from(year).ok()).filter(|year| years.contains(year));
    let is_past = asked.is_some_and(|year| (0..i64::from(today.year())).contains(&year));
    rules.require(
        year.is_some(),
        "/details/expiry_year",
        if is_past { "card_expired" } else { "out_of_range" },
        format!("must be a whole number from {} to {}", years.start(), years.end()),
    );
    let (number, expiry_month, expiry_year) = (number?, month?, year?);
    let expired = is_expired(expiry_month, expiry_year, today);
    rules.require(!expired, "/details/expiry_month", "card_expired", "the card has expired; use another");
    (cvc && !expired).then_some(Card { number, expiry_month, expiry_year })
}

/// Whether a card that ends with this month is no longer good today.
pub(crate) fn is_expired(month: i8, year: i16, today: Date) -> bool {
    (year, month) < (today.year(), today.month())
}

fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|digit| u32::from(digit - b'0'))
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};
    use serde_json::{Value, json};

    use super::{Brand, CardNumber, SecretJson, read_card};

    const TODAY: Date = date(2026, 11, 22);

    fn codes(details: Value) -> Vec<(String, String)> {
        let body = SecretJson(json!({"payment_type": "card", "details": details}));
        let problem = read_card(&body, TODAY).unwrap_err();
        assert!(!format!("{problem:?}").contains("4242424242424241"), "the number is repeated");
        problem.errors.into_iter().map(|e| (e.pointer, e.code.into_owned())).collect()
    }

    #[test]
    fn a_good_card_is_read_and_does_not_print() {
        let details =
            json!({"card_number": "4242 4242 4242 4242", "expiry_month": 11, "expiry_year": 2026, "cvc": "123"});
        let card = read_card(&SecretJson(json!({"payment_type": "card", "details": details})), TODAY).unwrap();
        assert_eq!((card.number.last4(), card.number.brand()), ("4242", Brand::Visa));
        assert!(!format!("{card:?}").contains("4242"));
    }

    #[test]
    fn each_broken_rule_is_named() {
        let bad = json!({"card_number": "4242424242424241", "expiry_month": 13, "expiry_year": 2047, "cvc": "12"});
        let found = codes(bad);
        let expected = [
            ("/details/card_number", "invalid_card_number"),
            ("/details/cvc", "invalid_cvc"),
            ("/details/expiry_month", "out_of_range"),
            ("/details/expiry_year", "out_of_range"),
        ];
        let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_expired_card_and_misplaced_numbers_are_refused_without_repeating_them() {
        let late = json!({"card_number": "4242424242424242", "expiry_month": 10, "expiry_year": 2026, "cvc": "123"});
        assert_eq!(codes(late), [("/details/expiry_month".to_owned(), "card_expired".to_owned())]);
        let old = json!({"card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2020, "cvc": "123"});
        assert_eq!(codes(old), [("/details/expiry_year".to_owned(), "card_expired".to_owned())]);
        codes(json!("4242424242424241"));
        codes(json!({"expiry_month": "4242424242424241", "4242424242424241": 1}));
    }

    #[test]
    fn brands_are_told_apart() {
        for (number, brand) in [
            ("5555555555554444", Brand::Mastercard),
            ("2223003122003222", Brand::Mastercard),
            ("378282246310005", Brand::Amex),
            ("6011111111111117", Brand::Discover),
            ("3566002020360505", Brand::Jcb),
        ] {
            assert_eq!(CardNumber::read(number).unwrap().brand(), brand);
        }
        assert_eq!(CardNumber::read("4242424242424243"), None);
    }
}
