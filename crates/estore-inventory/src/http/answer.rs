//! Answers whose bytes are there already: `304` where the reader has them, compressed where the reader takes that.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::catalogue::Printed;

/// Marks the tag of a compressed answer, which has other bytes.
const GZIP_MARK: &str = "-gzip";

/// Headers of an answer, those of the edge among them.
const HEADERS_EXPECTED: usize = 12;

/// What the reader has and takes.
#[derive(Debug)]
pub(crate) struct Wanted {
    if_none_match: Option<String>,
    takes_gzip: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Wanted {
    /// As the request's headers say.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let tags: Vec<&str> =
            headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
        let if_none_match = (!tags.is_empty()).then(|| tags.join(","));
        Self { if_none_match, takes_gzip: takes_gzip(headers) }
    }

    /// The answer to this reader.
    pub(crate) fn answer(&self, printed: &Printed) -> Response {
        let gzip = if self.takes_gzip { printed.gzip() } else { None };
        let tag = match &gzip {
            Some(_) => marked(&printed.tag),
            None => printed.tag.clone(),
        };
        let is_known = self.if_none_match.as_ref().is_some_and(|known| names(known, &printed.tag));
        let is_gzip = gzip.is_some();
        let body = if is_known { Body::empty() } else { Body::from(gzip.unwrap_or_else(|| printed.body.clone())) };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        // With room for what the edge adds.
        *headers = HeaderMap::with_capacity(HEADERS_EXPECTED);
        headers.insert(header::ETAG, tag);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        // A browser may keep it whoever looks, as long as it asks anew; what the tag names differs with who looks.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if is_gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(|offer| {
        let (coding, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let is_refused =
            weight.trim().strip_prefix("q=").is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty());
        coding.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

fn marked(tag: &HeaderValue) -> HeaderValue {
    let text = tag.to_str().unwrap_or_default().trim_end_matches('"');
    HeaderValue::from_str(&format!("{text}{GZIP_MARK}\"")).unwrap_or_else(|_| tag.clone())
}

/// Whether the list of tags, or `*`, names this one in either form.
fn names(known: &str, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default().trim_matches('"');
    known.split(',').map(str::trim).any(|known| {
        let bare = known.trim_start_matches("W/").trim_matches('"');
        known == "*" || bare.strip_suffix(GZIP_MARK).unwrap_or(bare) == tag
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{names, takes_gzip};

    #[test]
    fn gzip_is_taken_where_it_is_offered_and_not_refused() {
        let takes = |offer: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(offer))]))
        };
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate,gzip;q=1.0"));
        assert!(!takes("") && !takes("br") && !takes("gzip;q=0") && !takes("gzip; q=0.000") && !takes("identity"));
    }

    #[test]
    fn a_tag_is_known_in_each_of_its_forms() {
        let tag = HeaderValue::from_static("\"12-3\"");
        for known in ["*", "\"12-3\"", "W/\"12-3\"", "\"1\", \"12-3-gzip\""] {
            assert!(names(known, &tag), "{known}");
        }
        for other in ["", "\"12\"", "\"12-31\"", "\"12-4-gzip\""] {
            assert!(!names(other, &tag), "{other}");
        }
    }
}
