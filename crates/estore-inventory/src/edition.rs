//! Editions of a row: `ETag` out, `If-Match` in. Stock moves make no new edition, so that a sale is in no edit's way; the
//! tag of a product names its quantity too, behind the edition, so that who asks for news is not told that there are none.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use estore_kit::problem::Problem;
use jiff::Timestamp;

use crate::product::Product;

/// The `ETag` of a row last edited at this moment; each edit of a row has a moment of its own.
pub(crate) fn etag(created_at: Timestamp, updated_at: Option<Timestamp>) -> HeaderValue {
    let edited = updated_at.unwrap_or(created_at).as_microsecond();
    HeaderValue::from_str(&format!("\"{edited}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The editions that `If-Match` names; `None` when any will do.
#[derive(Debug, Clone, Default)]
pub(crate) struct IfMatch(pub(crate) Option<Vec<Timestamp>>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut named = None;
        for value in parts.headers.get_all(IF_MATCH) {
            let value = value.to_str().unwrap_or_default();
            if value.trim() == "*" {
                return Ok(Self(None));
            }
            // A tag that is none of ours names an edition that does not exist: nothing matches it.
            named.get_or_insert_with(Vec::new).extend(value.split(',').filter_map(edition));
        }
        Ok(Self(named))
    }
}

/// The `ETag` of a product.
pub(crate) fn product_etag(product: &Product) -> HeaderValue {
    let edited = product.updated_at.unwrap_or(product.created_at).as_microsecond();
    stocked(edited, product.quantity)
}

/// The `ETag` of an edition, in microseconds since 1970, with this quantity.
pub(crate) fn stocked(edition: i64, quantity: i32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{edition}-{quantity}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

fn edition(tag: &str) -> Option<Timestamp> {
    let named = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
    let digits = named.split_once('-').map_or(named, |(edition, _quantity)| edition);
    Timestamp::from_microsecond(digits.parse().ok()?).ok()
}

/// 412: the row has been edited since the caller read it.
pub(crate) fn stale() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "edition_changed",
        "It has been changed since you read it. Read it again and repeat your change.",
    )
}
