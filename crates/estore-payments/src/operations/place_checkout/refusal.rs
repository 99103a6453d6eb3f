//! How a checkout that was not paid is told to its buyer.

use axum::http::StatusCode;
use estore_api::inventory::{ShortLine, Shortage};
use estore_kit::problem::{FieldError, Problem};

use super::PlaceError;
use crate::steps::StepError;

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::InProgress => {
                Self::conflict("request_in_progress", "A request with this key is under way. Repeat it shortly.")
                    .retry_after(1)
            }
            PlaceError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another request. Use a new key for a new request.",
            ),
            PlaceError::Method(unusable) => Self::invalid(vec![FieldError {
                pointer: "/payment_method_id".to_owned(),
                code: unusable.code().into(),
                detail: unusable.to_string(),
            }]),
            PlaceError::Short(lines) => short(&lines),
            PlaceError::TooLarge(pointers) => Self::invalid(pointers.into_iter().map(too_large).collect()),
            PlaceError::NotCharged(code) => Self::new(StatusCode::PAYMENT_REQUIRED, code, not_charged(code)),
            PlaceError::CutOff => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "charge_cut_off",
                "The payment did not go through and nothing was charged. Repeat the request with the same key.",
            )
            .retry_after(1),
            PlaceError::OutcomeUnknown => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "charge_outcome_unknown",
                "The payment gateway did not say whether the card was charged. It is being found out; repeat the \
                 request with the same key to learn the outcome. The card is never charged twice.",
            )
            .retry_after(2),
            PlaceError::Uncarried => StepError::Unavailable(error.to_string()).into(),
            PlaceError::Step(error) => error.into(),
        }
    }
}

fn short(lines: &[(String, ShortLine)]) -> Problem {
    let errors: Vec<FieldError> = lines.iter().map(|(pointer, line)| short_line(pointer, line)).collect();
    if lines.iter().any(|(_, line)| line.reason != Shortage::OutOfStock) {
        return Problem::invalid(errors);
    }
    Problem::conflict("out_of_stock", "There is not enough in stock; `errors` names each line and what is left.")
        .with_errors(errors)
}

fn short_line(pointer: &str, line: &ShortLine) -> FieldError {
    let (field, code, detail) = match line.reason {
        Shortage::UnknownProduct => ("product_id", "unknown_product", "there is no such product".to_owned()),
        Shortage::Inactive => ("product_id", "inactive_product", "this product is not for sale".to_owned()),
        Shortage::OutOfStock => {
            ("quantity", "out_of_stock", format!("{} wanted, {} left", line.requested, line.available))
        }
    };
    FieldError { pointer: format!("{pointer}/{field}"), code: code.into(), detail }
}

fn too_large(pointer: String) -> FieldError {
    let detail = "quantity × price is more than an order can hold (21,474,836.47); order less at a time";
    FieldError { pointer: format!("{pointer}/quantity"), code: "total_out_of_range".into(), detail: detail.to_owned() }
}

fn not_charged(code: &str) -> &'static str {
    match code {
        "insufficient_funds" => "The card has insufficient funds. Nothing was charged; try another card.",
        "card_expired" => "The card has expired. Nothing was charged; use another card.",
        "amount_not_possible" => "The total is not an amount of the shop's currency. Nothing was charged.",
        "processing_error" => "The card's bank could not process the payment. Nothing was charged; order again.",
        "authentication_failed" => "The card's bank was not satisfied. Nothing was charged; order again.",
        "charge_not_made" => "The payment did not go through and nothing was charged; order again with a new key.",
        _ => "The card was declined. Nothing was charged; try another card.",
    }
}
