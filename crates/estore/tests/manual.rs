//! The manual's chapters of recovery: every command in them is run as it stands there, but for the places that it names.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The binary under test.
const ESTORE: &str = env!("CARGO_BIN_EXE_estore");
const MANUAL: &str = include_str!("../../../docs/operations.md");

/// A reader of the manual, with a shop that has sold something.
struct Reader {
    shop: Shop,
    folder: TempDir,
    /// What the manual has on the left is on the right here.
    places: Vec<(&'static str, String)>,
}

impl Reader {
    async fn start() -> Self {
        let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
        let srv = folder.path().to_str().unwrap().to_owned();
        let data = shop.address.data_dir.to_str().unwrap().to_owned();
        let places = vec![
            ("/etc/estore/field-keys", format!("{data}/secrets/field-keys")),
            ("/etc/estore/pitr-passphrase", format!("{data}/secrets/pitr-passphrase")),
            ("/var/lib/estore/", format!("{data}/")),
            ("backup-identity", format!("{srv}/identity")),
            ("/srv/", format!("{srv}/")),
        ];
        let reader = Self { shop, folder, places };
        let (admin, buyer) = (Client::admin(&reader.shop).await, Client::customer(&reader.shop).await);
        let (product, card) = (admin.product(700, 50).await, buyer.card(CARD_APPROVED).await);
        // With something sealed in it.
        let named =
            json!({ "product_id": product, "quantity": 1, "payment_method_id": card, "metadata": {"name": "Ada"} });
        let key = [("idempotency-key", "first")];
        let _sold = buyer.send(Method::POST, "/v1/orders", Some(&named), &key).await.expect(201);
        reader
    }

    /// Keys, and one backup where the manual has it.
    fn back_up(&mut self) {
        let identity = self.folder.path().join("identity");
        let made = self.shop.estore(&["backup", "keygen", identity.to_str().unwrap()], "");
        let recipient = made.lines().find_map(|line| line.strip_prefix("Recipient: ")).unwrap().to_owned();
        let target = format!("file://{}/backups", self.folder.path().display());
        let words = ["backup", "create", "--target", &target, "--recipient", &recipient, "--json"];
        let created: Value = serde_json::from_str(&self.shop.estore(&words, "")).unwrap();
        self.places.push(("age1…", recipient));
        self.places.push(("ed25519:…", created["signer"].as_str().unwrap().to_owned()));
    }

    /// Runs a line of the manual's; answers what it said.
    fn run(&self, line: &str) -> String {
        let line = self.places.iter().fold(line.to_owned(), |line, (theirs, ours)| line.replace(theirs, ours));
        let programs = Path::new(ESTORE).parent().unwrap().display();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["-o", "pipefail", "-c", &line]).env("PATH", path);
        command.env("ESTORE_DATA_DIR", &self.shop.address.data_dir).stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{line}\n{said}");
        println!("$ {line}\n{said}");
        said
    }
}

/// The commands of a chapter, but those that install and those that serve until they are stopped.
fn commands(heading: &str) -> Vec<String> {
    let (_, rest) = MANUAL.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no chapter {heading}"));
    let level = heading.split(' ').next().unwrap();
    let chapter = rest.split(&format!("\n{level} ")).next().unwrap();
    let joined = chapter.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned);
    let served = |line: &String| ["apt-get", "estore up", "estore serve"].iter().any(|start| line.starts_with(start));
    let commands: Vec<String> = lines.filter(|line| !served(line)).collect();
    assert!(commands.len() > 3, "{heading}: {commands:?}");
    commands
}

#[tokio::test(flavor = "multi_thread")]
async fn the_restore_drill() {
    let mut reader = Reader::start().await;
    reader.back_up();
    for command in commands("## Restore drill") {
        reader.run(&command);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_to_any_moment() {
    let mut reader = Reader::start().await;
    for command in commands("## Recovery to any moment") {
        if command.contains("restore --to") {
            reader.places.push(("2026-11-25T14:30:06.9Z", Timestamp::now().to_string()));
            let buyer = Client::customer(&reader.shop).await;
            drop(buyer);
            reader.run("estore backup pitr check");
        }
        let said = reader.run(&command);
        if command.contains("pitr setup") {
            assert!(said.contains("RESTART estore"), "{said}");
            assert!(reader.shop.stop());
            reader.shop.start_processes().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_major_version() {
    let mut reader = Reader::start().await;
    reader.back_up();
    for command in commands("## A new major version of PostgreSQL") {
        reader.run(&command);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit() {
    let reader = Reader::start().await;
    for command in commands("## Audit") {
        let said = reader.run(&command);
        assert!(!said.contains("BROKEN"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_sealed_fields() {
    let reader = Reader::start().await;
    for command in commands("## Sealed fields") {
        reader.run(&command);
    }
}
