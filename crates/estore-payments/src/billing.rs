//! Who a card belongs to, as buyers type it. It is stored sealed, and nothing of it is ever repeated in an error.

use estore_kit::validate::Rules;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::card::{CardNumber, SecretJson};
use crate::limits::{ADDRESS_CHARACTERS_MAX, HOLDER_CHARACTERS_MAX};

/// The fields of a card's details that say whose it is.
pub(crate) const BILLING_FIELDS: [&str; 2] = ["holder_name", "billing_address"];
const ADDRESS_FIELDS: [&str; 6] = ["line1", "line2", "city", "state", "postal_code", "country"];

/// Where the bills of a card go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BillingAddress {
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    line1: Option<String>,
    /// Floor, flat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    line2: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    city: Option<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    state: Option<String>,
    /// Postcode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    postal_code: Option<String>,
    /// Two letters of ISO 3166.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "GB", pattern = "^[A-Z]{2}$")]
    country: Option<String>,
}

/// Checks them where they are given.
pub(crate) fn check(rules: &mut Rules, details: &Map<String, Value>) {
    let given = |field: &str| details.get(field).filter(|value| !value.is_null());
    if let Some(holder) = given("holder_name") {
        text(rules, "/details/holder_name", holder, HOLDER_CHARACTERS_MAX);
    }
    let Some(address) = given("billing_address") else { return };
    let at = "/details/billing_address";
    let Some(address) = address.as_object() else {
        return rules.broken(at, "wrong_type", "must be an object");
    };
    let is_known = address.keys().all(|field| ADDRESS_FIELDS.contains(&field.as_str()));
    rules.require(is_known, at, "unknown_field", format!("may hold {} only", ADDRESS_FIELDS.join(", ")));
    for field in ADDRESS_FIELDS {
        let Some(value) = address.get(field).filter(|value| !value.is_null()) else { continue };
        let pointer = format!("{at}/{field}");
        text(rules, &pointer, value, ADDRESS_CHARACTERS_MAX);
        let country = value.as_str().filter(|_| field == "country");
        let is_code = country.is_none_or(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()));
        rules.require(is_code, &pointer, "invalid_country", "must be two capital letters of ISO 3166, such as GB");
    }
}

fn text(rules: &mut Rules, pointer: &str, value: &Value, characters_max: usize) {
    let Some(text) = value.as_str() else { return rules.broken(pointer, "wrong_type", "must be text") };
    rules.text(pointer, text, 1..=characters_max);
    let is_number = CardNumber::read(text).is_some();
    rules.require(!is_number, pointer, "card_number_not_accepted", "must not hold a card's number");
}

/// What was given, once it has been checked.
pub(crate) fn of(SecretJson(body): &SecretJson) -> (Option<String>, Option<Value>) {
    let given = |field: &str| body.get("details").and_then(|details| details.get(field));
    let address = given("billing_address").filter(|address| !address.is_null()).cloned();
    (given("holder_name").and_then(Value::as_str).map(str::to_owned), address)
}

#[cfg(test)]
mod tests {
    use estore_kit::validate::Rules;
    use serde_json::{Value, json};

    use super::check;

    fn broken(details: Value) -> Vec<(String, String)> {
        let mut rules = Rules::new();
        check(&mut rules, details.as_object().unwrap());
        let problem = rules.finish().err();
        problem.into_iter().flat_map(|p| p.errors).map(|e| (e.pointer, e.code.into_owned())).collect()
    }

    #[test]
    fn whose_a_card_is_may_be_said_and_is_checked() {
        let address = json!({"line1": "12 St James's Square", "postal_code": "SW1Y 4LB", "country": "GB"});
        assert_eq!(broken(json!({"holder_name": "Ada Lovelace", "billing_address": address})), []);
        assert_eq!(broken(json!({"holder_name": null, "billing_address": null})), []);
        let wrong = json!({"holder_name": "4242 4242 4242 4242", "billing_address": {"country": "gb", "planet": "x", "line1": 1}});
        let found = broken(wrong);
        let found: Vec<(&str, &str)> = found.iter().map(|(at, code)| (at.as_str(), code.as_str())).collect();
        assert_eq!(
            found,
            [
                ("/details/holder_name", "card_number_not_accepted"),
                ("/details/billing_address", "unknown_field"),
                ("/details/billing_address/line1", "wrong_type"),
                ("/details/billing_address/country", "invalid_country"),
            ]
        );
        assert_eq!(broken(json!({"holder_name": "", "billing_address": []}))[0].1, "length");
    }
}
