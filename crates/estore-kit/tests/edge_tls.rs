//! TLS for clients, with real certificates that change while the server runs.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use estore_kit::edge::{Door, EdgeLimits, Tls, edge, serve};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

const NAME: &str = "shop.estore.test";
const NEVER: Duration = Duration::from_secs(20);
const ASKED: &[u8] = b"GET /quick HTTP/1.1\r\nhost: shop\r\n\r\n";

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let made = command.args(arguments.split(' ')).current_dir(folder).output().expect("openssl is installed");
    assert!(made.status.success(), "{arguments}: {}", String::from_utf8_lossy(&made.stderr));
}

/// An authority, and two certificates by it: `a.pem` with `a.key`, `b.pem` with `b.key`.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(at, &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"));
    std::fs::write(at.join("names"), format!("subjectAltName=DNS:{NAME}\n")).unwrap();
    for which in ["a", "b"] {
        openssl(at, &format!("req {key} -keyout {which}.key -out {which}.csr -subj /CN={NAME}"));
        openssl(
            at,
            &format!(
                "x509 -req -sha256 -in {which}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
                 -out {which}.pem"
            ),
        );
    }
    folder
}

fn copy(folder: &Path, which: &str) {
    std::fs::copy(folder.join(format!("{which}.pem")), folder.join("shown.pem")).unwrap();
    std::fs::copy(folder.join(format!("{which}.key")), folder.join("shown.key")).unwrap();
}

struct Server {
    folder: TempDir,
    address: SocketAddr,
    stop: CancellationToken,
}

impl Server {
    async fn start(limits: EdgeLimits) -> Self {
        let folder = certificates();
        copy(folder.path(), "a");
        let tls = Tls::open(&folder.path().join("shown.pem"), &folder.path().join("shown.key")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(tls.clone().watch(stop.clone()));
        let router = edge(Router::new().route("/quick", get(async || "quick")), &limits);
        tokio::spawn(serve(Door { listener, tls: Some(tls) }, router, limits, std::future::pending()));
        Self { folder, address, stop }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.path().join("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let client = client.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap()
    }

    /// Whether a new client is shown this certificate.
    async fn shows(&self, which: &str) -> bool {
        let mut stream = self.connect().await;
        assert!(ask(&mut stream).await.ends_with("quick"));
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        shown == CertificateDer::from_pem_file(self.folder.path().join(format!("{which}.pem"))).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(ASKED).await.unwrap();
    let mut told = String::new();
    while !told.ends_with("quick") {
        let mut piece = [0; 1_024];
        let count = stream.read(&mut piece).await.unwrap();
        assert!(count > 0, "closed after {told}");
        told.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    told
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_nobody_is_cut() {
    let server = Server::start(EdgeLimits { header_time_max: NEVER * 3, ..EdgeLimits::default() }).await;
    assert!(server.shows("a").await);
    let mut open = server.connect().await;
    assert!(ask(&mut open).await.starts_with("HTTP/1.1 200"));
    copy(server.folder.path(), "b");
    let begun = Instant::now();
    while !server.shows("b").await {
        assert!(begun.elapsed() < NEVER, "the new certificate is not shown");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(ask(&mut open).await.starts_with("HTTP/1.1 200"), "who was there before goes on");

    // Files that cannot be used change nothing, until they can be.
    let shown = server.folder.path().join("shown.pem");
    std::fs::write(&shown, "-----BEGIN CERTIFICATE-----\nhalf of it").unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(server.shows("b").await);
    std::fs::copy(server.folder.path().join("a.pem"), &shown).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(server.shows("b").await, "a certificate without its key");
    copy(server.folder.path(), "a");
    let begun = Instant::now();
    while !server.shows("a").await {
        assert!(begun.elapsed() < NEVER, "the mended files are not taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_refused_by_name() {
    let folder = certificates();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("empty"), "").unwrap();
    let refused = |certificate: &str, key: &str| Tls::open(&at(certificate), &at(key)).unwrap_err().to_string();
    for (certificate, key, told) in [
        ("nowhere.pem", "a.key", "nowhere.pem"),
        ("empty", "a.key", "empty"),
        ("a.pem", "nowhere.key", "nowhere.key"),
        ("a.pem", "a.pem", "private key"),
        ("a.pem", "b.key", "is not that of the certificate"),
        ("a.key", "a.key", "certificate"),
    ] {
        let text = refused(certificate, key);
        assert!(text.contains(told), "{certificate} and {key}: {text}");
        assert!(!text.contains("BEGIN"), "a key is told: {text}");
    }
}

#[tokio::test]
async fn who_does_not_speak_tls_is_sent_away_in_time() {
    let limits =
        EdgeLimits { header_time_max: Duration::from_millis(500), connections_max: 2, ..EdgeLimits::default() };
    let server = Server::start(limits).await;
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(ASKED).await.unwrap();
    let mut told = Vec::new();
    tokio::time::timeout(NEVER, plain.read_to_end(&mut told)).await.expect("it is closed").ok();
    assert!(!String::from_utf8_lossy(&told).contains("quick"));
    // Those who only connect and those who begin and stop hold no place for long.
    let silent = TcpStream::connect(server.address).await.unwrap();
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    assert!(tokio::time::timeout(NEVER, server.shows("a")).await.expect("the places are given up"));
    drop((silent, half));
}
