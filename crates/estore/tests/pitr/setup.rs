//! A shop that goes back to any moment, and how it is brought there.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use estore_ops::roles::Service;
use estore_testkit::shop::{Processes, Shop};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub const ESTORE: &str = env!("CARGO_BIN_EXE_estore");
/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A shop whose log is archived.
pub struct Archived {
    pub shop: Shop,
    folder: TempDir,
}

impl Archived {
    /// Set up while the shop stands still, so that archiving begins at once.
    pub async fn start() -> Self {
        let mut archived = Self::not_yet().await;
        assert!(archived.shop.stop());
        let out = archived.set_up();
        assert!(out.contains("works") && !out.contains("RESTART"), "{out}");
        archived.shop.start_processes().await;
        archived
    }

    pub async fn not_yet() -> Self {
        let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
        Self { shop, folder }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn set_up(&self) -> String {
        self.shop.estore(&["backup", "pitr", "setup", "--repository", &self.path("archive")], "")
    }

    pub fn passphrase(&self) -> String {
        self.shop.address.data_dir.join("secrets/pitr-passphrase").to_str().unwrap().to_owned()
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.shop.estore(&[words, &["--json"]].concat(), "")).unwrap()
    }

    /// `estore backup restore --to` into a new data directory.
    pub fn restore(&self, to: &str, name: &str) -> (bool, String) {
        let (repository, passphrase) = (self.path("archive"), self.passphrase());
        self.restore_with(to, name, (&repository, &passphrase))
    }

    pub fn restore_with(&self, to: &str, name: &str, (repository, passphrase): (&str, &str)) -> (bool, String) {
        let output = std::process::Command::new(ESTORE)
            .args(["backup", "restore", "--to", to, "--repository", repository, "--passphrase", passphrase])
            .args(["--json", "--data-dir", &self.path(name)])
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Stops the shop, and goes on as the one that was brought back, with the secrets that were kept elsewhere.
    pub async fn go_on_as(&mut self, name: &str) {
        self.shop.stop();
        let place = Path::new(&self.path(name)).to_owned();
        let secrets = place.join("secrets");
        std::fs::create_dir(&secrets).unwrap();
        for secret in std::fs::read_dir(self.shop.address.data_dir.join("secrets")).unwrap() {
            let secret = secret.unwrap();
            std::fs::copy(secret.path(), secrets.join(secret.file_name())).unwrap();
        }
        self.shop.address.data_dir = place;
        self.shop.start_processes().await;
    }

    pub async fn now(&self) -> Timestamp {
        let payments = self.shop.database(Service::Payments).await;
        payments.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0)
    }

    /// Every order of the shop, with how often it is there and its state.
    pub async fn orders(&self) -> BTreeMap<i64, (i64, String)> {
        let payments = self.shop.database(Service::Payments).await;
        let sql = "SELECT id::bigint, count(*), min(status::text) FROM orders GROUP BY id";
        let rows = payments.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
    }
}

pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come about within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
