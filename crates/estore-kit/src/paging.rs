//! Lists by cursor: `limit` and `cursor` in, `{data, next_cursor}` out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::{FieldError, Problem};

/// The largest page.
pub const LIMIT_MAX: u32 = 100;
/// The page when none is asked for.
pub const LIMIT_DEFAULT: u32 = 20;
/// The longest cursor that is read, in characters.
const CURSOR_CHARACTERS_MAX: usize = 2_048;

/// The page that is asked for. Flatten it into a route's query, or take it alone.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// How many to answer, 1 to 100 (20 when left out).
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The page's rows.
    pub data: Vec<T>,
    /// Where the next page starts; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// The limit as a number of rows, or a problem naming the rule.
pub fn limit(asked: Option<u32>) -> Result<usize, Problem> {
    match asked {
        None => Ok(LIMIT_DEFAULT as usize),
        Some(limit @ 1..=LIMIT_MAX) => Ok(limit as usize),
        Some(limit) => Err(parameter("limit", "out_of_range", format!("must be from 1 to {LIMIT_MAX}, not {limit}"))),
    }
}

/// An opaque cursor holding the sort key of the last row.
pub fn encode<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// The sort key out of a cursor, or a problem when it is none of ours.
pub fn decode<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Problem> {
    let Some(text) = cursor else { return Ok(None) };
    let key = (text.len() <= CURSOR_CHARACTERS_MAX)
        .then(|| URL_SAFE_NO_PAD.decode(text).ok())
        .flatten()
        .filter(|bytes| !crate::extract::has_escaped_nul(bytes))
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    key.map(Some).ok_or_else(|| {
        parameter("cursor", "invalid_cursor", "is not a cursor of this list; leave it out to start anew".into())
    })
}

/// Cuts rows fetched with one more than `limit` into a page; `key` is the sort key of a row.
pub fn page<T, K: Serialize>(mut rows: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> List<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = if more { rows.last().map(|row| encode(&key(row))) } else { None };
    List { data: rows, next_cursor }
}

/// 400 for a query parameter, named.
#[must_use]
pub fn parameter(name: &str, code: &'static str, detail: String) -> Problem {
    Problem::bad_request("invalid_parameter", format!("{name}: {detail}")).with_errors(vec![FieldError {
        pointer: name.to_owned(),
        code: code.into(),
        detail,
    }])
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, limit, page};

    #[test]
    fn a_cursor_comes_back_as_it_went_out() {
        let cursor = encode(&(5, "née \u{1F600}"));
        assert_eq!(decode::<(i32, String)>(Some(&cursor)).unwrap(), Some((5, "née \u{1F600}".to_owned())));
    }

    #[test]
    fn foreign_cursors_and_limits_are_named() {
        assert_eq!(decode::<(i32,)>(Some("%%%")).unwrap_err().errors[0].pointer, "cursor");
        assert_eq!(decode::<(i32,)>(Some(&encode(&"x"))).unwrap_err().code, "invalid_parameter");
        assert!(limit(Some(0)).is_err() && limit(Some(101)).is_err());
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        assert_eq!(page(vec![1, 2], 2, |n| *n).next_cursor, None);
        assert!(page(vec![1, 2, 3], 2, |n| *n).next_cursor.is_some());
    }
}
