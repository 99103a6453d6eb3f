//! The edge from outside, over real sockets.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use estore_kit::edge::{EdgeLimits, edge, listen, serve};
use estore_kit::extract::Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

async fn server() -> Server {
    let limits = EdgeLimits {
        body_bytes_max: 1_000,
        request_time_max: Duration::from_millis(700),
        header_time_max: Duration::from_millis(300),
        ..EdgeLimits::default()
    };
    let routes = Router::new()
        .route("/quick", get(async || "quick"))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_millis(400)).await))
        .route("/stuck", get(async || tokio::time::sleep(Duration::from_secs(60)).await))
        .route("/panic", get(async || -> String { panic!("a secret is in this text") }))
        .route("/body", post(async |body: Bytes| body.len().to_string()))
        .route("/json", post(async |body: Json<serde_json::Value>| body.0.to_string()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let router = edge(routes, &limits);
    let task = tokio::spawn(async move {
        serve(listener, router, limits, async move { drop(stopped.await) }).await;
    });
    Server { address, stop: Some(stop), task }
}

/// Sends these bytes, and answers whatever comes until the server closes.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_problem_with_an_id() {
    let server = server().await;
    let too_large = format!(
        "POST /body HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: 2000\r\n\r\n{}",
        "x".repeat(2_000)
    );
    let cases = [
        (request("GET /nowhere"), "404", "route_not_found"),
        (request("DELETE /quick"), "405", "method_not_allowed"),
        (request("GET /panic"), "500", "internal"),
        (request("GET /stuck"), "503", "timeout"),
        (too_large, "413", "body_too_large"),
    ];
    for (request, status, code) in cases {
        let answer = exchange(server.address, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("x-request-id"), "{answer}");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
    }
}

#[tokio::test]
async fn a_sender_of_ten_megabytes_hears_that_it_is_too_much() {
    let server = server().await;
    for _ in 0..20 {
        let body = "x".repeat(10 * 1024 * 1024);
        let request = format!(
            "POST /json HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = exchange(server.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_headers_is_cut() {
    let server = server().await;
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /quick HTTP/1.1\r\nhost: sh").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok();
    assert!(begun.elapsed() < Duration::from_secs(5), "the connection was held open");
}

#[tokio::test]
async fn a_given_request_id_is_kept_and_a_hostile_one_is_not() {
    let server = server().await;
    let with_id =
        |id: &str| format!("GET /quick HTTP/1.1\r\nhost: shop\r\nconnection: close\r\nx-request-id: {id}\r\n\r\n");
    assert!(exchange(server.address, &with_id("order-7")).await.contains("x-request-id: order-7"));
    assert!(!exchange(server.address, &with_id("<script>")).await.contains("<script>"));
}

#[tokio::test]
async fn a_shutdown_finishes_what_runs() {
    let mut server = server().await;
    let running = tokio::spawn(exchange(server.address, Box::leak(request("GET /slow").into_boxed_str())));
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.take().unwrap().send(()).unwrap();
    assert!(running.await.unwrap().starts_with("HTTP/1.1 200"));
    tokio::time::timeout(Duration::from_secs(5), server.task).await.expect("the server ends").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// How many connections one may hold that nobody has taken yet: what the system keeps for a listener, and files for them.
fn waiting_max() -> Option<usize> {
    let kept = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse::<usize>().ok()?;
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let files = files.split_whitespace().next()?.parse().unwrap_or(usize::MAX);
    Some(kept.min(files.saturating_sub(200)).min(3_000))
}

#[tokio::test]
async fn whoever_comes_with_thousands_of_others_is_let_in_at_once() {
    let Some(most) = waiting_max().filter(|most| *most > 1_100) else {
        eprintln!("This system keeps few connections or files: nothing is looked at, and no more can come at once.");
        return;
    };
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    for number in 0..most {
        // One that finds no room is tried again by the system after a second.
        let connected = tokio::time::timeout(Duration::from_millis(900), TcpStream::connect(address)).await;
        let stream = connected.unwrap_or_else(|_| panic!("number {number} of {most} waits to be let in"));
        waiting.push(stream.unwrap());
    }
}
