//! What clients send that mean harm, byte by byte: each is refused, and nothing of it becomes another request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use estore_kit::edge::{EdgeLimits, Proxies, edge, serve};
use estore_kit::extract::Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Long beyond every limit of these servers.
const NEVER: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    /// How often the route was reached that only a hidden request names.
    hidden: Arc<AtomicUsize>,
}

async fn server(limits: EdgeLimits) -> Server {
    let hidden = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hidden);
    let routes = Router::new()
        .route("/quick", get(async || "quick"))
        .route("/json", post(async |body: Json<serde_json::Value>| body.0.to_string()))
        .route("/large", get(async || vec![b'x'; 64 * 1024 * 1024]))
        .route("/hidden", get(async move || count.fetch_add(1, SeqCst).to_string()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = edge(routes, &limits);
    tokio::spawn(serve(listener, router, limits, std::future::pending()));
    Server { address, hidden }
}

/// Sends these bytes and answers whatever comes until the server closes.
async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may have closed before it was told everything.
    stream.write_all(request.as_ref()).await.ok();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    drop(tokio::time::timeout(NEVER, read).await.expect("the server closes the connection"));
    String::from_utf8_lossy(&answer).into_owned()
}

fn answers(told: &str) -> usize {
    told.matches("HTTP/1.1 ").count()
}

const HEAD: &str = "POST /json HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n";
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: shop\r\n\r\n";

#[tokio::test]
async fn two_lengths_hide_no_second_request() {
    let server = server(EdgeLimits::default()).await;
    // The body ends where its last piece does; whatever the other length says, the connection ends with it.
    for lengths in [
        "content-length: 48\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 48\r\n",
        "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let told = exchange(server.address, format!("{HEAD}{lengths}\r\n2\r\n{{}}\r\n0\r\n\r\n{HIDDEN}")).await;
        assert_eq!(answers(&told), 1, "{told}");
        assert!(told.contains("connection: close"), "{told}");
    }
    for refused in [
        "content-length: 2\r\ncontent-length: 40\r\n",
        "content-length: 2, 40\r\n",
        "content-length: +2\r\n",
        "content-length: -2\r\n",
        "content-length: 0x2\r\n",
        "content-length: 2 2\r\n",
        "content-length: 99999999999999999999999\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: gzip\r\ncontent-length: 2\r\n",
        "transfer-encoding : chunked\r\n",
        " transfer-encoding: chunked\r\n",
        "transfer-encoding:\r\n chunked\r\n",
        "content-length\0: 2\r\n",
    ] {
        let told = exchange(server.address, format!("{HEAD}{refused}\r\n{{}}{HIDDEN}")).await;
        assert!(told.starts_with("HTTP/1.1 400 "), "{refused:?}: {told}");
        assert_eq!(answers(&told), 1, "{refused:?}: {told}");
    }
    // Pieces that older HTTP does not know, and pieces with a length that is none.
    let told =
        exchange(server.address, format!("POST /json HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"));
    let told = told.await;
    assert!(answers(&told) <= 1 && !told.starts_with("HTTP/1.1 200"), "{told}");
    for size in ["-1", "g", "0x2", "fffffffffffffffff", "2 2", ""] {
        let told = exchange(
            server.address,
            format!("{HEAD}transfer-encoding: chunked\r\n\r\n{size}\r\n{{}}\r\n0\r\n\r\n{HIDDEN}"),
        );
        let told = told.await;
        assert!(answers(&told) <= 1 && !told.starts_with("HTTP/1.1 200"), "{size:?}: {told}");
    }
    assert_eq!(server.hidden.load(SeqCst), 0, "a hidden request was answered");
    let plain =
        exchange(server.address, format!("{HIDDEN}GET /hidden HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n"));
    assert_eq!((answers(&plain.await), server.hidden.load(SeqCst)), (2, 2), "two that are not hidden are two");
}

#[tokio::test]
async fn heads_that_nobody_sends_in_good_faith_are_refused() {
    let server = server(EdgeLimits::default()).await;
    let long = "x".repeat(40 * 1024);
    let many: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    for (head, status) in [
        ("GET /quick HTTP/1.1\r\nhost: shop\r\nx: a\r\n b\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nhost: shop\r\nx : a\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nhost: shop\r\nx: a\0b\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nhost: shop\r\nx: a\rset-cookie: b\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nhost: shop\r\n: a\r\n\r\n".to_owned(), "400"),
        ("GET /quick\0 HTTP/1.1\r\nhost: shop\r\n\r\n".to_owned(), "400"),
        ("GET /qu ick HTTP/1.1\r\nhost: shop\r\n\r\n".to_owned(), "400"),
        ("G@T /quick HTTP/1.1\r\nhost: shop\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/9.9\r\nhost: shop\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nhost: shop\r\nhost: other\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nhost: shop other\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /quick HTTP/1.1\r\nhost: other@shop\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        (format!("GET /quick HTTP/1.1\r\nhost: shop\r\nx: {long}\r\n\r\n"), "431"),
        (format!("GET /quick?{long} HTTP/1.1\r\nhost: shop\r\n\r\n"), "431"),
        (format!("GET /quick HTTP/1.1\r\nhost: shop\r\n{many}\r\n"), "431"),
        ("get /quick HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n".to_owned(), "405"),
        ("TRACE /quick HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n".to_owned(), "405"),
        ("GET /quick%00 HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n".to_owned(), "404"),
        ("GET /../quick HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n".to_owned(), "404"),
    ] {
        let told = exchange(server.address, &head).await;
        let shown: String = head.chars().take(80).collect();
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {told}");
        assert!(!told.to_ascii_lowercase().contains("set-cookie"), "{told}");
    }
    let told = exchange(server.address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    assert!(!told.contains("200"), "TLS where there is none: {told}");
    let told = exchange(server.address, "GET /quick HTTP/1.0\r\nhost: shop\r\nhost: other\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.0 400 "), "{told}");
    // Over HTTP/1.0 a host is not needed.
    assert!(exchange(server.address, "GET /quick HTTP/1.0\r\n\r\n").await.ends_with("quick"));
}

/// A server that loses patience soon, and has two places.
async fn impatient() -> Server {
    server(EdgeLimits {
        header_time_max: Duration::from_millis(300),
        request_time_max: Duration::from_millis(500),
        write_time_max: Duration::from_millis(300),
        connections_max: 2,
        ..EdgeLimits::default()
    })
    .await
}

/// Whether the server still answers, while these connections are held.
async fn assert_answers<T>(server: &Server, held: T) {
    let asked = exchange(server.address, "GET /quick HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
    let told = tokio::time::timeout(NEVER, asked).await.expect("the places are given up");
    assert!(told.ends_with("quick"), "{told}");
    drop(held);
}

#[tokio::test]
async fn heads_that_trickle_and_connections_that_idle_lose_their_place() {
    let server = impatient().await;
    let mut trickles = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        trickles.push(tokio::spawn(async move {
            let begun = Instant::now();
            stream.write_all(b"GET /quick HTTP/1.1\r\nhost: shop\r\nx: ").await.unwrap();
            while stream.write_all(b"x").await.is_ok() {
                assert!(begun.elapsed() < NEVER, "it may go on for ever");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }));
    }
    assert_answers(&server, ()).await;
    for trickle in trickles {
        trickle.await.unwrap();
    }
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /quick HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
        idle.push(stream);
    }
    assert_answers(&server, idle).await;
}

#[tokio::test]
async fn bodies_that_trickle_and_answers_that_nobody_takes_lose_their_place() {
    let server = impatient().await;
    let mut trickles = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("{HEAD}content-length: 1000\r\n\r\n{{").as_bytes()).await.unwrap();
        trickles.push(stream);
    }
    assert_answers(&server, ()).await;
    for mut stream in trickles {
        let mut told = String::new();
        stream.read_to_string(&mut told).await.ok();
        assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("\"code\":\"timeout\""), "{told}");
    }
    let mut deaf = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
        deaf.push(stream);
    }
    assert_answers(&server, deaf).await;
}

#[tokio::test]
async fn an_address_has_no_more_connections_than_it_may() {
    let limits = EdgeLimits { connections_per_address_max: 2, ..EdgeLimits::default() };
    let server = server(limits).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /quick HTTP/1.1\r\nhost: shop\r\n\r\n").await.unwrap();
        let mut first = [0; 8];
        stream.read_exact(&mut first).await.unwrap();
        held.push(stream);
    }
    assert_eq!(exchange(server.address, "GET /quick HTTP/1.1\r\nhost: shop\r\n\r\n").await, "", "one too many");
    // From elsewhere one may still come.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut elsewhere = socket.connect(server.address).await.unwrap();
    elsewhere.write_all(b"GET /quick HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut told = String::new();
    elsewhere.read_to_string(&mut told).await.unwrap();
    assert!(told.ends_with("quick"), "{told}");
    // A proxy of ours comes for many.
    let proxies = Proxies::read(&["127.0.0.0/8".to_owned()]).unwrap();
    let trusting = self::server(EdgeLimits { connections_per_address_max: 2, proxies, ..EdgeLimits::default() }).await;
    let mut through_it = Vec::new();
    for _ in 0..3 {
        through_it.push(TcpStream::connect(trusting.address).await.unwrap());
    }
    assert!(exchange(trusting.address, "GET /quick HTTP/1.0\r\n\r\n").await.ends_with("quick"));
    // A place that is left is taken again.
    drop(held);
    let begun = Instant::now();
    while !exchange(server.address, "GET /quick HTTP/1.0\r\n\r\n").await.ends_with("quick") {
        assert!(begun.elapsed() < NEVER, "places are not given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
