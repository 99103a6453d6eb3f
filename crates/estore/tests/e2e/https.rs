//! A shop that is reached by HTTPS.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use estore_testkit::shop::Processes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::own_shop;

pub(crate) fn openssl(folder: &std::path::Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let made = command.args(arguments.split(' ')).current_dir(folder).output().expect("openssl is installed");
    assert!(made.status.success(), "{arguments}: {}", String::from_utf8_lossy(&made.stderr));
}

/// A shop that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).expect("process ids are small"));
        kill(pid, Signal::SIGTERM).ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn a_shop_with_a_certificate_is_reached_by_https_alone() {
    let mut shop = own_shop(Processes::One).await;
    assert!(shop.stop());
    let folder = tempfile::tempdir().unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder.path(), &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"));
    openssl(folder.path(), &format!("req {key} -keyout shop.key -out shop.csr -subj /CN=localhost"));
    std::fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        folder.path(),
        "x509 -req -sha256 -in shop.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out shop.pem",
    );
    let address = shop.address.users.trim_start_matches("http://").to_owned();
    let mut command = Command::new(crate::ESTORE);
    command.args(["up", "--listen", &address, "--data-dir"]).arg(&shop.address.data_dir);
    command.env("ESTORE_TLS__CERTIFICATE", folder.path().join("shop.pem"));
    // One file without the other is a mistake, and said.
    let told = command.output().unwrap();
    assert!(!told.status.success());
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("tls.key is not"), "{told}");
    command.env("ESTORE_TLS__KEY", folder.path().join("shop.key"));
    let mut running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());

    let root = std::fs::read(folder.path().join("ca.pem")).unwrap();
    let root = reqwest::Certificate::from_pem(&root).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    let base = format!("https://localhost:{}", address.rsplit_once(':').unwrap().1);
    let begun = Instant::now();
    while !http.get(format!("{base}/health/ready")).send().await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not ready");
        assert!(running.0.try_wait().unwrap().is_none(), "it has ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = http.get(format!("{base}/v1/products?limit=1")).send().await.unwrap();
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert!(answer.json::<Value>().await.unwrap()["data"].is_array());
    // Two days are left: it is told.
    let token = std::fs::read_to_string(shop.address.data_dir.join("secrets/metrics-token")).unwrap();
    let figures = http.get(format!("{base}/metrics")).bearer_auth(token.trim()).send().await.unwrap();
    assert!(figures.text().await.unwrap().contains("estore_certificate_ends_seconds{section=\"tls\"}"));
    let begun = Instant::now();
    loop {
        let health: Value = http.get(format!("{base}/health/ready")).send().await.unwrap().json().await.unwrap();
        if health["parts"].as_array().unwrap().iter().any(|part| part["name"] == "certificate of [tls]") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{health}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(plain.get(format!("http://{address}/health/live")).send().await.is_err());
    let strict = plain.get(format!("{base}/health/live")).send().await;
    assert!(strict.is_err(), "a certificate that nobody vouches for");
}
