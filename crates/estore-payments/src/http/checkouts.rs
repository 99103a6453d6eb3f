//! `/v1/checkouts` and `POST /v1/orders`.

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use estore_api::inventory::HoldLine;
use estore_kit::auth::{Caller, CallerOrKey, Permission};
use estore_kit::batcher::BatchError;
use estore_kit::extract::{Json, Path};
use estore_kit::field::{PREFIX, is_reserved};
use estore_kit::problem::Problem;
use estore_kit::request;
use estore_kit::validate::Rules;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::documented::{Placing, Reading};
use super::tagged;
use crate::answer::Answer;
use crate::checkout::{Checkout, Operation, Placement};
use crate::idempotency::{IdempotencyKey, request_hash};
use crate::limits::{CHECKOUT_LINES_MAX, METADATA_BYTES_MAX};
use crate::operations::place_checkout as operation;
use crate::operations::place_checkout::waiting::ActionNeeded;
use crate::order::Order;
use crate::service::Payments;
use crate::store;

/// Lines to be bought together.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCheckout {
    /// 1 to 2,000 lines; the same product twice counts as one line.
    #[schema(min_items = 1, max_items = 2000)]
    lines: Vec<NewLine>,
    /// One of the buyer's active payment methods.
    payment_method_id: i32,
    /// Anything the buyer attaches: an object of at most 16 KiB. Numbers are whole ones of 64 bits or doubles (IEEE 754): what
    /// a double cannot hold is rounded to the nearest one.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
}

/// A product and how many of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLine {
    /// The product.
    #[schema(minimum = 1)]
    product_id: i32,
    /// Units.
    #[schema(minimum = 1)]
    quantity: i32,
}

/// One product to be bought.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    /// The product.
    #[schema(minimum = 1)]
    product_id: i32,
    /// Units.
    #[schema(minimum = 1)]
    quantity: i32,
    /// One of the buyer's active payment methods.
    payment_method_id: i32,
    /// Anything the buyer attaches: an object of at most 16 KiB. Numbers are whole ones of 64 bits or doubles (IEEE 754): what
    /// a double cannot hold is rounded to the nearest one.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
}

/// Room for one more checkout. An overloaded shop says no before it has read token and body, which is what keeps it from
/// spending its time on those that it sends away.
pub(super) struct Room;

impl FromRequestParts<Payments> for Room {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, payments: &Payments) -> Result<Self, Problem> {
        if payments.shop.places.available_permits() > 0 {
            return Ok(Self);
        }
        let problem = Problem::from(BatchError::Overloaded);
        payments.shop.figures.answers.count(problem.code);
        Err(problem)
    }
}

/// Buys several products at once: all of them or none.
#[utoipa::path(
    post, path = "/v1/checkouts", tag = "orders", security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255,
        description = "Your own value, 1 to 255 visible characters; the same again when you repeat the request")),
    request_body = NewCheckout,
    responses(
        (status = 201, body = Checkout, description = "Bought and charged",
         headers(("Idempotent-Replayed" = bool, description = "Sent where this is the stored answer"))),
        (status = 202, body = ActionNeeded, description = "The buyer's bank wants to see the buyer first"),
        Placing,
    )
)]
pub(super) async fn place_checkout(
    State(payments): State<Payments>,
    _room: Room,
    caller: Caller,
    key: IdempotencyKey,
    Json(body): Json<NewCheckout>,
) -> Result<Answer, Problem> {
    let hash = request_hash("POST /v1/checkouts", &body);
    let NewCheckout { lines, payment_method_id, metadata } = body;
    let wanted = Wanted { operation: Operation::Checkout, lines, payment_method_id, metadata };
    place(payments, checked(&caller, key, hash, wanted)?).await
}

/// Buys one product.
#[utoipa::path(
    post, path = "/v1/orders", tag = "orders", security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255,
        description = "Your own value, 1 to 255 visible characters; the same again when you repeat the request")),
    request_body = NewOrder,
    responses(
        (status = 201, body = Order, description = "Bought and charged",
         headers(("Idempotent-Replayed" = bool, description = "Sent where this is the stored answer"))),
        (status = 202, body = ActionNeeded, description = "The buyer's bank wants to see the buyer first"),
        Placing,
    )
)]
pub(super) async fn place_order(
    State(payments): State<Payments>,
    _room: Room,
    caller: Caller,
    key: IdempotencyKey,
    Json(body): Json<NewOrder>,
) -> Result<Answer, Problem> {
    let hash = request_hash("POST /v1/orders", &body);
    let NewOrder { product_id, quantity, payment_method_id, metadata } = body;
    let lines = vec![NewLine { product_id, quantity }];
    let wanted = Wanted { operation: Operation::Order, lines, payment_method_id, metadata };
    place(payments, checked(&caller, key, hash, wanted)?).await
}

/// A checkout of the caller's, or any for staff.
#[utoipa::path(
    get, path = "/v1/checkouts/{id}", tag = "orders", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The checkout"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` you have")),
    responses(
        (status = 200, body = Checkout, headers(("ETag" = String, description = "Its present form"))),
        (status = 304, description = "You have its present form"),
        Reading,
    )
)]
pub(super) async fn read_checkout(
    State(payments): State<Payments>,
    CallerOrKey(caller): CallerOrKey,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found =
        store::checkouts::seen(&payments.shop.db.seen_by(caller.viewer(Permission::THAT_SHOW_ORDERS)), id).await?;
    let found = found.ok_or_else(|| Problem::not_found("checkout"))?;
    Ok(tagged(&headers, &payments.shop.shown(found)?))
}

/// Runs in a task of its own: a client that hangs up, or the time limit, must not stop a checkout half way.
async fn place(payments: Payments, placement: Placement) -> Result<Answer, Problem> {
    let shop = Arc::clone(&payments.shop);
    let work = request::within(request::current_id(), operation::place_checkout(shop, placement));
    let answer = tokio::spawn(work).await.map_err(Problem::internal)?;
    payments.shop.figures.answers.count(answer.outcome);
    Ok(answer.shown(&payments.shop.fields)?)
}

/// What both routes ask for.
struct Wanted {
    operation: Operation,
    lines: Vec<NewLine>,
    payment_method_id: i32,
    metadata: Map<String, Value>,
}

fn checked(caller: &Caller, key: IdempotencyKey, hash: [u8; 32], wanted: Wanted) -> Result<Placement, Problem> {
    if !caller.verified {
        return Err(Problem::forbidden(
            "email_not_verified",
            "Verify your address first: follow the link in the mail, or ask for a new one.",
        ));
    }
    let Wanted { operation, lines, payment_method_id, metadata } = wanted;
    let mut rules = Rules::new();
    let bytes = serde_json::to_vec(&metadata).map_or(usize::MAX, |json| json.len());
    rules.require(
        bytes <= METADATA_BYTES_MAX,
        "/metadata",
        "too_large",
        format!("must be at most {METADATA_BYTES_MAX} bytes of JSON, not {bytes}"),
    );
    let is_ours = metadata.iter().any(|(name, value)| name.starts_with(PREFIX) || is_reserved(value));
    let told = format!("no name and no text in it may begin with `{PREFIX}`, which marks what is stored sealed");
    rules.require(!is_ours, "/metadata", "reserved", told);
    let count = lines.len();
    let fits = (1..=CHECKOUT_LINES_MAX).contains(&count);
    let told = format!("must have 1 to {CHECKOUT_LINES_MAX} lines, not {count}");
    rules.require(fits, "/lines", "length", told);
    let (lines, pointers) = if fits { merged(&mut rules, operation, &lines) } else { Default::default() };
    rules.finish()?;
    Ok(Placement {
        user_id: caller.user_id,
        key: key.0,
        request_hash: hash,
        operation,
        lines,
        pointers,
        payment_method_id,
        metadata,
    })
}

/// The lines with a product in one line only, and where each product stands first in the body.
fn merged(rules: &mut Rules, operation: Operation, lines: &[NewLine]) -> (Vec<HoldLine>, Vec<(i32, String)>) {
    let mut merged: Vec<HoldLine> = Vec::with_capacity(lines.len());
    let mut places: HashMap<i32, usize> = HashMap::with_capacity(lines.len());
    let mut pointers = Vec::with_capacity(lines.len());
    let mut overflowing = HashSet::new();
    for (n, line) in lines.iter().enumerate() {
        let at = if operation == Operation::Order { String::new() } else { format!("/lines/{n}") };
        rules.range(&format!("{at}/product_id"), line.product_id, 1..=i32::MAX);
        rules.range(&format!("{at}/quantity"), line.quantity, 1..=i32::MAX);
        match places.entry(line.product_id) {
            Entry::Vacant(place) => {
                place.insert(merged.len());
                pointers.push((line.product_id, at));
                merged.push(HoldLine { product_id: line.product_id, quantity: line.quantity });
            }
            Entry::Occupied(place) => {
                let Some(first) = merged.get_mut(*place.get()) else { continue };
                match first.quantity.checked_add(line.quantity) {
                    Some(sum) => first.quantity = sum,
                    None if overflowing.insert(line.product_id) => {
                        let pointer = format!("{at}/quantity");
                        rules.broken(
                            pointer,
                            "out_of_range",
                            "the product's lines together are more than an order holds",
                        );
                    }
                    None => {}
                }
            }
        }
    }
    (merged, pointers)
}

#[cfg(test)]
mod instructions;
