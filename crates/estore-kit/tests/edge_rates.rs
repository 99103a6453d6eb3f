//! Which requests count, and which limit they count by.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::{get, post};
use estore_kit::auth::Verifier;
use estore_kit::edge::{Kind, RateLimits, Rates, Rules, edge};
use estore_kit::request::ClientAddress;
use jsonwebtoken::jwk::JwkSet;
use tower::ServiceExt;

fn kind_of(_method: &Method, path: &str) -> Kind {
    match path {
        "/free" => Kind::Free,
        "/tokens" => Kind::LogIn,
        _ => Kind::Write,
    }
}

fn limits(address_writes: u32, log_ins: u32, routes: &[(Method, &str, u32)]) -> RateLimits {
    let routes = routes.iter().map(|(method, path, quota)| (method.clone(), (*path).to_owned(), *quota)).collect();
    RateLimits { account_writes: 0, address_writes, log_ins, routes, kind_of }
}

fn shop(limits: RateLimits) -> Router {
    let verifier = Arc::new(Verifier::given(&JwkSet { keys: Vec::new() }));
    let rates = Rates::new(limits, verifier, Arc::default()).map(Arc::new);
    let routes = Router::new()
        .route("/things/{id}", get(async || "seen").put(async || "put").post(async || "made"))
        .route("/tokens", post(async || "in"))
        .route("/free", post(async || "done"));
    edge(routes, Rules { rates, ..Rules::default() })
}

async fn send(shop: &Router, method: Method, path: &str) -> (StatusCode, HeaderMap) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let answer = shop.clone().oneshot(request).await.unwrap();
    (answer.status(), answer.headers().clone())
}

/// How many of ten are taken.
async fn taken(shop: &Router, method: Method, path: &str) -> usize {
    let mut taken = 0;
    for _ in 0..10 {
        taken += usize::from(send(shop, method.clone(), path).await.0 != StatusCode::TOO_MANY_REQUESTS);
    }
    taken
}

#[tokio::test]
async fn changes_share_a_budget_and_log_ins_have_their_own() {
    let shop = shop(limits(3, 2, &[]));
    assert_eq!(taken(&shop, Method::PUT, "/things/1").await, 3);
    assert_eq!(taken(&shop, Method::POST, "/things/2").await, 0);
    assert_eq!(taken(&shop, Method::POST, "/tokens").await, 2);
    for (method, path) in [(Method::GET, "/things/1"), (Method::HEAD, "/things/1"), (Method::POST, "/free")] {
        assert_eq!(taken(&shop, method, path).await, 10);
    }
}

#[tokio::test]
async fn a_network_of_ipv6_has_one_budget() {
    let shop = shop(limits(2, 0, &[]));
    let status = async |address: &str| {
        let client = ClientAddress(address.parse().unwrap());
        let request = Request::builder().method(Method::PUT).uri("/things/1").extension(client).body(Body::empty());
        shop.clone().oneshot(request.unwrap()).await.unwrap().status()
    };
    for (address, expected) in [
        ("2001:db8:1:2::1", StatusCode::OK),
        ("2001:db8:1:2:3:4:5:6", StatusCode::OK),
        ("2001:db8:1:2::3", StatusCode::TOO_MANY_REQUESTS),
        ("2001:db8:1:3::1", StatusCode::OK),
    ] {
        assert_eq!(status(address).await, expected, "{address}");
    }
}

#[tokio::test]
async fn nought_is_any_number() {
    let shop = shop(limits(0, 1, &[]));
    assert_eq!(taken(&shop, Method::PUT, "/things/1").await, 10);
    let (_, headers) = send(&shop, Method::PUT, "/things/1").await;
    assert!(!headers.contains_key("ratelimit"));
    assert_eq!(taken(&shop, Method::POST, "/tokens").await, 1);
    let verifier = Arc::new(Verifier::given(&JwkSet { keys: Vec::new() }));
    assert!(Rates::new(limits(0, 0, &[]), verifier, Arc::default()).is_none());
}

#[tokio::test]
async fn a_route_may_have_a_limit_of_its_own() {
    let shop = shop(limits(1, 0, &[(Method::PUT, "/things/{id}", 4), (Method::POST, "/tokens", 0)]));
    assert_eq!(taken(&shop, Method::PUT, "/things/1").await, 4);
    let (_, headers) = send(&shop, Method::PUT, "/things/2").await;
    assert_eq!(headers["ratelimit-policy"], "\"PUT /things/{id}\";q=4;w=60");
    assert_eq!(taken(&shop, Method::POST, "/things/1").await, 1);
    assert_eq!(taken(&shop, Method::POST, "/tokens").await, 10);
}
