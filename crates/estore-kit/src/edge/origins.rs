//! Whose pages may call from a browser (CORS): exact origins, and never with cookies.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;

static METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
static SENT: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, if-match, if-none-match, x-request-id");
static SHOWN: HeaderValue = HeaderValue::from_static(
    "etag, idempotent-replayed, location, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
/// How long a browser may remember the answer to a preflight, in seconds.
static REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("600");
static BY_ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// The origins on the list, as browsers send them.
#[derive(Debug, Clone)]
pub struct Origins(Arc<[HeaderValue]>);

impl Origins {
    /// Reads the list; nothing where it is empty.
    ///
    /// # Errors
    /// What is no origin, with the rule and the mend.
    pub fn read(list: &[String]) -> Result<Option<Self>, String> {
        let origins = list.iter().map(|text| read(text)).collect::<Result<Arc<[_]>, String>>()?;
        Ok((!origins.is_empty()).then_some(Self(origins)))
    }

    /// The request's origin, if it is on the list.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.0.iter().find(|known| *known == origin).cloned()
    }
}

/// Whether a browser asks what it may send.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What pages of an origin on the list may send.
pub(super) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT.clone());
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS.clone());
    response
}

/// Lets pages of this origin read the answer, and tells caches that it depends on who asks.
pub(super) fn allow(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    headers.append(header::VARY, BY_ORIGIN.clone());
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN.clone());
    }
}

/// `scheme://host[:port]`, as a browser writes it.
fn read(text: &str) -> Result<HeaderValue, String> {
    let wrong = |why: &str| format!("{text:?} is no origin: {why}; write it as https://shop.example.com");
    let uri: Uri = text.parse().map_err(|_malformed| wrong("it is no URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("scheme and host are needed, and * is not taken"));
    };
    if !matches!(scheme, "https" | "http") {
        return Err(wrong("the scheme is https or http"));
    }
    if format!("{scheme}://{authority}") != text {
        return Err(wrong("nothing stands behind the host and its port"));
    }
    if authority.as_str().contains(['@', '*']) || text.contains(char::is_uppercase) {
        return Err(wrong("it is compared letter by letter, in lower case, without user or *"));
    }
    if matches!((scheme, authority.port_u16()), ("https", Some(443)) | ("http", Some(80))) {
        return Err(wrong("browsers leave out the scheme's own port"));
    }
    HeaderValue::from_str(text).map_err(|_unprintable| wrong("it holds characters that no header takes"))
}

#[cfg(test)]
mod tests {
    use super::Origins;

    #[test]
    fn only_exact_origins_are_taken() {
        let read = |text: &str| Origins::read(&[text.to_owned()]);
        for good in ["https://shop.example.com", "http://localhost:3000", "https://[2001:db8::1]:8443"] {
            assert!(read(good).unwrap().is_some(), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "shop.example.com",
            "https://*.example.com",
            "https://shop.example.com/",
            "https://shop.example.com/path",
            "https://Shop.example.com",
            "https://shop.example.com:443",
            "https://user@shop.example.com",
            "ftp://shop.example.com",
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains("https://shop.example.com"), "{bad}: {error}");
        }
        assert!(Origins::read(&[]).unwrap().is_none());
    }
}
