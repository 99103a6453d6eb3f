//! Backups in object stores: taken, listed, proven and let go by each protocol, at peers that others wrote.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use estore_ops::backup::{Retention, Target, create, list, prune, silent, verify};
use jiff::{Timestamp, ToSpan};

use crate::setup::{Shop, connect};

/// How long a peer may take to answer first.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// Azurite's account and its published key.
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A peer in a process of its own; it ends with this value.
struct Peer {
    process: Child,
    url: String,
    http: reqwest::Client,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Peer {
    /// `None`, saying so, where the variable names no program.
    async fn start(variable: &str, arguments: impl Fn(&str) -> Vec<String>) -> Option<Self> {
        let Some(program) = std::env::var_os(variable) else {
            eprintln!("skipped: {variable} names no program; script/test installs it.");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new(program);
        command.args(arguments(&port)).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the peer starts");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let peer = Self { process, url: format!("http://127.0.0.1:{port}"), http };
        let begun = Instant::now();
        while peer.http.get(&peer.url).send().await.is_err() {
            assert!(begun.elapsed() < START_TIME_MAX, "{variable} does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(peer)
    }

    async fn moto() -> Option<Self> {
        let peer = Self::start("ESTORE_TEST_MOTO", |port| vec!["--port".to_owned(), port.to_owned()]).await?;
        let made = peer.http.put(format!("{}/shop-backups", peer.url)).send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
        Some(peer)
    }

    async fn azurite() -> Option<Self> {
        let arguments = |port: &str| {
            let words = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--blobPort", port];
            words.map(str::to_owned).to_vec()
        };
        let peer = Self::start("ESTORE_TEST_AZURITE", arguments).await?;
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let text = format!(
            "PUT{}x-ms-date:{date}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/shop-backups\nrestype:container",
            "\n".repeat(12)
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(ACCOUNT_KEY).unwrap());
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let made = peer.http.put(format!("{}/{ACCOUNT}/shop-backups?restype=container", peer.url));
        let made = made.header("x-ms-date", date).header("x-ms-version", "2021-08-06");
        let made = made.header("authorization", format!("SharedKey {ACCOUNT}:{signature}")).send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
        Some(peer)
    }
}

/// The whole life of backups in one target.
async fn live_in(url: &str, settings: &[(&str, &str)]) {
    let shop = Shop::new().await;
    // More than one part of an upload, and nothing that compresses.
    let bulk = "INSERT INTO events (at, body) SELECT '2026-02-10', to_jsonb(array(SELECT gen_random_uuid()
                FROM generate_series(1, 250) WHERE n > 0)) FROM generate_series(1, 4000) n";
    connect(&shop.payments).await.batch_execute(bulk).await.unwrap();
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let target = Target::open(url, settings).unwrap();
    assert!(list(&target).await.unwrap().is_empty());
    let first = create(&shop.sources(), &target, &shop.options(), &silent).await.unwrap().manifest;
    assert!(first.files.iter().any(|file| file.bytes > 16 << 20), "{:?}", first.files);
    let second = create(&shop.sources(), &target, &shop.options(), &silent).await.unwrap().manifest;
    let report = Box::pin(verify(&target, &first.id, &shop.verify_options(), &silent)).await.unwrap();
    assert!(report.passed && report.recorded, "{:#?}", report.levels);
    let third = create(&shop.sources(), &target, &shop.options(), &silent).await.unwrap().manifest;

    let listed = list(&target).await.unwrap();
    assert!(listed.iter().all(|set| set.is_backup()), "{listed:?}");
    let verified: Vec<bool> = listed.iter().map(|set| set.is_verified()).collect();
    assert_eq!(verified, [true, false, false]);
    let much_later = Timestamp::now() + (24 * 365).hours();
    let gone = prune(&target, Retention { keep_days: 30, keep_sets: 1 }, much_later, false).await.unwrap();
    assert_eq!(gone.iter().map(|set| &set.id).collect::<Vec<_>>(), [&second.id]);
    let left: Vec<String> = list(&target).await.unwrap().into_iter().map(|set| set.id).collect();
    assert_eq!(left, [first.id, third.id], "nothing of the second one is left, and the proven one stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_s3() {
    let Some(peer) = Peer::moto().await else { return };
    let settings = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ENDPOINT", &peer.url),
        ("AWS_ALLOW_HTTP", "true"),
        // Names that happen to be in an environment are not taken for settings.
        ("BUCKET", "another"),
        ("TOKEN", "of something else"),
    ];
    live_in("s3://shop-backups/estore", &settings).await;
}

/// Google's XML interface is S3's but for the log-in; the peer looks for its own region in it.
#[tokio::test(flavor = "multi_thread")]
async fn in_google_cloud_storage() {
    let Some(peer) = Peer::moto().await else { return };
    let settings = [("GOOGLE_BASE_URL", peer.url.as_str()), ("GOOGLE_BEARER_TOKEN", "any/20261125/us-east-1/s3/token")];
    live_in("gs://shop-backups/estore", &settings).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_azure() {
    let Some(peer) = Peer::azurite().await else { return };
    let endpoint = format!("{}/{ACCOUNT}", peer.url);
    let settings = [
        ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
        ("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY),
        ("AZURE_STORAGE_ENDPOINT", &endpoint),
        ("AZURE_ALLOW_HTTP", "true"),
    ];
    live_in("az://shop-backups/estore", &settings).await;
}
