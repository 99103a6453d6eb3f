//! Answers from memory, before a route is looked for: to whom they are given, and how complete they are.

use std::future::pending;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use estore_kit::edge::{EdgeLimits, Rules, Site, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The answer to one request whose head goes on like this.
async fn answer(first_line: &str, headers: &str) -> String {
    let routes = Router::new().route("/kept", get(async || "routed")).route("/other", get(async || "routed"));
    let kept = Arc::new(|uri: &axum::http::Uri, _: &axum::http::HeaderMap| {
        (uri.path() == "/kept").then(|| Response::new(Body::from("from memory")))
    });
    let site = Site::new(routes, Rules::default(), Some(kept));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(serve(listener, site, EdgeLimits::default(), pending()));
    let request = format!("{first_line} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.abort();
    answer
}

#[tokio::test]
async fn what_is_kept_is_answered_with_all_that_the_edge_says() {
    let told = answer("GET /kept", "host: shop\r\nx-request-id: mine\r\n").await;
    assert!(told.starts_with("HTTP/1.1 200 ") && told.ends_with("\r\n\r\nfrom memory"), "{told}");
    for header in ["x-request-id: mine", "x-content-type-options: nosniff", "cache-control: no-cache"] {
        assert!(told.contains(header), "{header}: {told}");
    }
}

#[tokio::test]
async fn whatever_needs_more_goes_to_its_route() {
    let somebody = "host: shop\r\nauthorization: Bearer x\r\n";
    for (first_line, headers) in [("GET /kept", somebody), ("GET /other", "host: shop\r\n")] {
        let told = answer(first_line, headers).await;
        assert!(told.ends_with("\r\n\r\nrouted"), "{first_line}: {told}");
    }
    assert!(answer("POST /kept", "host: shop\r\ncontent-length: 0\r\n").await.starts_with("HTTP/1.1 405 "));
    assert!(answer("HEAD /kept", "host: shop\r\n").await.contains("content-length: 6\r\n"), "of the route's answer");
    for hosts in ["", "host: shop\r\nhost: other\r\n", "host: me@shop\r\n"] {
        assert!(answer("GET /kept", hosts).await.starts_with("HTTP/1.1 400 "), "{hosts}");
    }
}
