//! The error answers of the routes, as they stand in the OpenAPI document.

use std::collections::BTreeMap;

use estore_kit::problem::PROBLEM_JSON;
use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

macro_rules! problems {
    ($(#[$doc:meta])* $name:ident: $($status:literal $text:literal),+ $(,)?) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let all = [
                    ("401", "No valid access token"),
                    ("500", "A fault of ours"),
                    ("503", "A part of the shop is away or busy; `Retry-After` says when to try again"),
                    $((stringify!($status), $text),)+
                ];
                all.into_iter().map(|(status, text)| (status.to_owned(), problem(text))).collect()
            }
        }
    };
}

fn problem(text: &str) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(text).content(PROBLEM_JSON, content).build().into()
}

problems! {
    /// Lists.
    Listing:
    400 "A parameter is malformed",
    403 "Only staff with the permission may ask this",
}
problems! {
    /// Routes that read one thing.
    Reading:
    400 "The id is malformed",
    404 "There is no such thing, or it is not yours",
}
problems! {
    /// Adding something by a JSON body.
    Adding:
    400 "The body is not JSON",
    402 "The card was refused: `card_declined` and the like",
    413 "The body is too large",
    415 "The body is not declared as JSON",
    422 "A field breaks a rule; `errors` names it",
}
problems! {
    /// Placing orders.
    Placing:
    400 "The Idempotency-Key is missing or malformed, or the body is not JSON",
    402 "Not charged: `card_declined`, `insufficient_funds`, `card_expired`, `processing_error`, \
         `authentication_failed`, `amount_not_possible` or `charge_not_made`",
    403 "The buyer's address is not verified",
    409 "`out_of_stock`, naming each short line; or `request_in_progress`",
    413 "The body is too large",
    415 "The body is not declared as JSON",
    422 "A field breaks a rule; or `idempotency_key_reused`",
    503 "`charge_cut_off`: nothing was charged, repeat with the same key; or the shop is too busy, or a part of it is away",
    504 "`charge_outcome_unknown`: it is being found out; repeat with the same key",
}
problems! {
    /// Cancelling.
    Cancelling:
    400 "The id is malformed",
    404 "There is no such order, or it is not yours",
    409 "`not_cancellable` in its state; or `order_in_progress` while its charge is under way",
}
problems! {
    /// Refunding.
    Refunding:
    400 "The Idempotency-Key is missing or malformed, or the body is not JSON",
    402 "`refund_refused` by the gateway",
    403 "Only staff with the permission may do this",
    404 "There is no such order",
    409 "`not_refundable`, `refund_exceeds_captured` or `request_in_progress`",
    413 "The body is too large",
    415 "The body is not declared as JSON",
    422 "A field breaks a rule; or `idempotency_key_reused`",
    504 "`refund_outcome_unknown`: it is being found out; repeat with the same key",
}
problems! {
    /// Changing an order's state.
    Changing:
    400 "The id is malformed, or the body is not JSON",
    402 "`payment_lapsed`: what was reserved on the card is no longer to be had",
    403 "Only staff with the permission may do this",
    404 "There is no such order",
    409 "`illegal_transition`; or `order_in_progress` while its charge is under way",
    412 "The order has changed since `If-Match`",
    413 "The body is too large",
    415 "The body is not declared as JSON",
    422 "A field breaks a rule; `errors` names it",
}
problems! {
    /// Having what needs attention looked at.
    Resolving:
    400 "The id is malformed",
    403 "Only staff with the permission may do this",
    404 "There is no such thing",
    409 "`nothing_to_resolve`: it goes on by itself; or `other_gateway` has the charge",
}
problems! {
    /// The gateway's own events.
    Telling:
    400 "The signature is missing, malformed, too old or does not fit, or the body is no event",
    413 "The body is too large",
}
problems! {
    /// Lists for administrators.
    Administering:
    400 "A parameter is malformed",
    403 "This takes the permission `operations`",
}
problems! {
    /// A webhook endpoint and what belongs to it.
    Hooking:
    400 "The id or a parameter is malformed",
    403 "This takes the permission `operations`",
    404 "There is no such endpoint",
}
problems! {
    /// Changing a webhook endpoint.
    Rehooking:
    400 "The id is malformed, or the body is not JSON",
    403 "This takes the permission `operations`",
    404 "There is no such endpoint",
    412 "The endpoint has changed since `If-Match`",
    413 "The body is too large",
    415 "The body is not declared as JSON",
    422 "A field breaks a rule; `errors` names it",
}
problems! {
    /// A new secret for a webhook endpoint.
    Rotating:
    400 "The id is malformed",
    403 "This takes the permission `operations`",
    404 "There is no such endpoint",
    409 "`too_many_webhook_secrets` sign already",
}
problems! {
    /// Sending a webhook delivery again.
    Replaying:
    400 "An id is malformed",
    403 "This takes the permission `operations`",
    404 "There is no such endpoint",
    409 "`not_replayable`: no such delivery, or it is still on its way",
}
problems! {
    /// Making a webhook endpoint.
    Creating:
    400 "The body is not JSON",
    403 "This takes the permission `operations`",
    409 "`too_many_webhook_endpoints`",
    413 "The body is too large",
    415 "The body is not declared as JSON",
    422 "A field breaks a rule; `errors` names it",
}
