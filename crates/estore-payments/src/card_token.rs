//! Tokens of cards that the buyer's browser has given to the gateway itself.

use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use serde_json::Value;

use crate::billing::{self, BILLING_FIELDS};
use crate::card::SecretJson;

/// The token of the body `{payment_type, details: {token}}`, or each broken rule. Nothing of it is ever repeated.
pub(crate) fn read_token(body: &SecretJson) -> Result<String, Problem> {
    let mut rules = Rules::new();
    let fields = body.value().as_object();
    rules.require(fields.is_some(), "", "wrong_type", "must be an object");
    let kind = fields.and_then(|fields| fields.get("payment_type"));
    rules.require(kind.is_some(), "/payment_type", "missing", "must be given");
    rules.require(kind.is_none_or(|kind| kind == "card"), "/payment_type", "unknown_payment_type", "must be \"card\"");
    let is_known = |fields: &serde_json::Map<String, Value>, known: &[&str]| {
        fields.keys().all(|field| known.contains(&field.as_str()))
    };
    let is_plain = fields.is_none_or(|fields| is_known(fields, &["payment_type", "details"]));
    rules.require(is_plain, "", "unknown_field", "may hold payment_type, details only");
    let details = fields.and_then(|fields| fields.get("details")).and_then(Value::as_object);
    rules.require(details.is_some(), "/details", "missing", "must be an object");
    let has_number = details.is_some_and(|details| details.contains_key("card_number") || details.contains_key("cvc"));
    rules.require(
        !has_number,
        "/details/card_number",
        "card_number_not_accepted",
        "this shop must not see card numbers: give the card to the payment provider in the browser, and send its \
         token as details.token",
    );
    let known = ["token", BILLING_FIELDS[0], BILLING_FIELDS[1]];
    let is_plain = has_number || details.is_none_or(|details| is_known(details, &known));
    rules.require(is_plain, "/details", "unknown_field", format!("may hold {} only", known.join(", ")));
    details.into_iter().for_each(|details| billing::check(&mut rules, details));
    let token = details.and_then(|details| details.get("token")).and_then(Value::as_str);
    let is_missing = details.is_some() && !has_number && token.is_none();
    rules.require(!is_missing, "/details/token", "missing", "must be text: a token of the payment provider");
    rules.finish()?;
    token.map(str::to_owned).ok_or_else(|| Problem::internal("a token without a broken rule was not read"))
}

/// Checks the body `{payment_type: "invoice"}`.
pub(crate) fn read_invoice(body: &SecretJson) -> Result<(), Problem> {
    let mut rules = Rules::new();
    let fields = body.value().as_object();
    rules.require(fields.is_some(), "", "wrong_type", "must be an object");
    let kind = fields.and_then(|fields| fields.get("payment_type"));
    let is_invoice = kind.is_some_and(|kind| kind == "invoice");
    let told = "must be \"invoice\": this shop takes no cards";
    rules.require(is_invoice, "/payment_type", "unknown_payment_type", told);
    let details = fields.and_then(|fields| fields.get("details"));
    let is_empty = details.is_none_or(|details| details.as_object().is_some_and(serde_json::Map::is_empty));
    rules.require(is_empty, "/details", "unknown_field", "must be empty: an invoice has no details");
    let is_plain = fields.is_none_or(|fields| fields.keys().all(|field| field == "payment_type" || field == "details"));
    rules.require(is_plain, "", "unknown_field", "may hold payment_type, details only");
    rules.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read_token;
    use crate::card::SecretJson;

    fn read(details: Value) -> Result<String, Vec<(String, String)>> {
        let body: SecretJson = serde_json::from_value(json!({"payment_type": "card", "details": details})).unwrap();
        read_token(&body).map_err(|problem| {
            assert!(!format!("{problem:?}").contains("4242"), "a number is repeated");
            problem.errors.into_iter().map(|error| (error.pointer, error.code.into_owned())).collect()
        })
    }

    #[test]
    fn a_token_is_read_and_numbers_are_refused() {
        assert_eq!(read(json!({"token": "pm_1"})), Ok("pm_1".to_owned()));
        let number = json!({"card_number": "4242424242424242", "expiry_month": 1, "expiry_year": 2030, "cvc": "123"});
        let refused = vec![("/details/card_number".to_owned(), "card_number_not_accepted".to_owned())];
        assert_eq!(read(number), Err(refused));
        assert_eq!(read(json!({"token": 4242})).unwrap_err()[0].0, "/details/token");
        assert_eq!(read(json!({"token": "pm_1", "4242424242424242": 1})).unwrap_err()[0].1, "unknown_field");
        assert_eq!(read(json!("4242424242424242")).unwrap_err()[0].0, "/details");
    }
}
