//! What every answer tells browsers and caches.

use axum::http::{HeaderMap, HeaderValue, header};

/// Data is no page: nothing in it runs, loads or is framed. Pages bring a policy of their own.
static NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
static NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
static NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// A year of HTTPS only, for this name and no other.
static HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// To be asked for anew each time, by its `ETag` where it has one.
static ASK_ANEW: HeaderValue = HeaderValue::from_static("no-cache");
static NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// Completes an answer's headers; a policy or a rule for caches that the route has set stays. What is `private` is kept
/// by no cache.
pub(super) fn complete(headers: &mut HeaderMap, is_private: bool, is_https: bool) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF.clone());
    headers.insert(header::REFERRER_POLICY, NO_REFERRER.clone());
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| NO_PAGE.clone());
    let caching = if is_private { &NOT_KEPT } else { &ASK_ANEW };
    headers.entry(header::CACHE_CONTROL).or_insert_with(|| caching.clone());
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY.clone());
    }
}
