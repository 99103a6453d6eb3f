//! Calls from pages of other origins: those on the list, exactly, and never with cookies.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::get;
use estore_kit::edge::{Origins, Rules, edge};
use tower::ServiceExt;

const SHOP: &str = "https://shop.example.com";

async fn answer(method: Method, origin: Option<&str>, asks_first: bool) -> (StatusCode, HeaderMap) {
    let origins = Origins::read(&[SHOP.to_owned(), "http://localhost:3000".to_owned()]).unwrap();
    let rules = Rules { origins, is_https: true, ..Rules::default() };
    let router = edge(Router::new().route("/orders", get(async || "[]").post(async || "made")), rules);
    let mut request = Request::builder().method(method).uri("/orders");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    if asks_first {
        request = request.header("access-control-request-method", "POST");
    }
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    (answer.status(), answer.headers().clone())
}

fn allowed(headers: &HeaderMap) -> Option<&str> {
    assert!(!headers.contains_key("access-control-allow-credentials"), "cookies are nobody's business here");
    assert_eq!(headers["vary"], "origin", "caches are told that it depends on who asks");
    headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn pages_of_an_origin_on_the_list_may_ask_send_and_read() {
    for origin in [SHOP, "http://localhost:3000"] {
        let (status, headers) = answer(Method::OPTIONS, Some(origin), true).await;
        assert_eq!((status, allowed(&headers)), (StatusCode::NO_CONTENT, Some(origin)));
        assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("idempotency-key"));
        assert!(headers["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let (status, headers) = answer(method.clone(), Some(origin), false).await;
            // What a page may not do, it may read that.
            let expected = if method == Method::DELETE { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::OK };
            assert_eq!((status, allowed(&headers)), (expected, Some(origin)));
            assert!(headers["access-control-expose-headers"].to_str().unwrap().contains("retry-after"));
        }
    }
}

#[tokio::test]
async fn pages_of_others_are_not_let_in() {
    for origin in [
        "https://shop.example.com.evil.example",
        "https://evil-shop.example.com",
        "http://shop.example.com",
        "https://shop.example.com:8443",
        "https://SHOP.example.com",
        "null",
        "*",
        "",
    ] {
        let (status, headers) = answer(Method::OPTIONS, Some(origin), true).await;
        assert_eq!((status, allowed(&headers)), (StatusCode::METHOD_NOT_ALLOWED, None), "{origin}");
        let (status, headers) = answer(Method::GET, Some(origin), false).await;
        assert_eq!((status, allowed(&headers)), (StatusCode::OK, None), "{origin}");
    }
    // Who is no browser is not bothered.
    let (status, headers) = answer(Method::POST, None, false).await;
    assert_eq!((status, allowed(&headers)), (StatusCode::OK, None));
}

#[tokio::test]
async fn browsers_that_come_by_https_are_told_to_keep_to_it() {
    let (_, headers) = answer(Method::GET, None, false).await;
    assert_eq!(headers["strict-transport-security"], "max-age=31536000");
}
