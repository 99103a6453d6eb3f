//! The last levels of a proof: the promises across the restored databases, and a shop that sells on them.

use std::net::SocketAddr;
use std::path::PathBuf;

use estore_kit::edge::{EdgeLimits, serve};
use estore_ops::backup::{ExtraLevel, SignerKey};
use estore_ops::roles::Service;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::BackupResult;
use crate::commands::{migrate, up};
use crate::config::{Config, DatabaseUrls};
use crate::databases::Databases;
use crate::services::Services;
use crate::{fields, sealing, secrets, verify};

/// The card of the sandbox that approves.
const CARD: &str = "4242424242424242";

/// Both levels.
pub(super) fn levels(config: &Config) -> Vec<ExtraLevel<'_>> {
    let promises = move |data_dir: PathBuf| {
        async move {
            let signer = sealing::signer(config).map_err(|error| error.to_string())?;
            promises(&scratch(config, data_dir), signer).await.map_err(|error| error.to_string())
        }
        .boxed_local()
    };
    let order = move |data_dir: PathBuf| {
        async move { order(scratch(config, data_dir)).await.map_err(|error| error.to_string()) }.boxed_local()
    };
    vec![ExtraLevel { name: "promises", run: Box::new(promises) }, ExtraLevel { name: "order", run: Box::new(order) }]
}

/// The configuration of a shop that reaches nobody: its mail goes to a folder, its cards to the sandbox.
fn scratch(config: &Config, data_dir: PathBuf) -> Config {
    let mut scratch = Config { data_dir, ..config.clone() };
    // What is sealed in the copy is sealed under the shop's keys, where this machine has them.
    scratch.fields.keys_file = fields::file(config).filter(|file| file.exists());
    scratch.databases = DatabaseUrls::default();
    scratch.services = Default::default();
    scratch.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    scratch.public_url = String::new();
    scratch.tls = Default::default();
    scratch.users = Default::default();
    "sandbox".clone_into(&mut scratch.payments.gateway);
    scratch
}

/// The copy is the shop's, and so is the key that its audit was sealed with.
async fn promises(config: &Config, signer: Option<SignerKey>) -> BackupResult<String> {
    let databases = Databases::of(config);
    // A set of an older EStore is brought to this one's schema, as it would be after a restore.
    migrate::prepare(&databases, &Service::ALL).await?;
    let findings = verify::verify(&databases, signer.as_ref(), &fields::look(config)?).await?;
    let broken: Vec<String> = findings
        .iter()
        .filter(|finding| finding.broken > 0)
        .map(|finding| {
            let first = finding.rows.first().map_or("", String::as_str);
            format!("{}: {}, {} times, first {first}", finding.database, finding.name, finding.broken)
        })
        .collect();
    if broken.is_empty() { Ok(format!("{} promises are kept", findings.len())) } else { Err(broken.join("; ").into()) }
}

/// Nothing in the background runs: no letter, no delivery, no charge that was under way is taken up.
async fn order(mut config: Config) -> BackupResult<String> {
    let door = up::listen_on(&mut config)?;
    let databases = Databases::of(&config);
    let services = Services::start(&Service::ALL, &config, &databases).await?;
    let email = format!("backup-proof-{}@estore.example", uuid::Uuid::now_v7().simple());
    let password = secrets::random();
    let users = services.users.as_ref().ok_or("no UserService")?;
    users.create_admin(&email, password.reveal()).await?;
    let stop = CancellationToken::new();
    let limits = EdgeLimits::default();
    let serving = {
        let (site, stop) = (services.site((&limits).into(), false), stop.clone());
        tokio::spawn(async move { serve(door, site, limits, stop.cancelled()).await })
    };
    let buyer = Buyer::new(&config)?;
    let sold = buyer.buy(&email, password.reveal()).await;
    stop.cancel();
    serving.await?;
    sold
}

/// Somebody who buys over HTTP.
struct Buyer {
    http: reqwest::Client,
    base: String,
}

impl Buyer {
    fn new(config: &Config) -> BackupResult<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(30)).build()?;
        Ok(Self { http, base: config.public_url() })
    }

    async fn buy(&self, email: &str, password: &str) -> BackupResult<String> {
        let tokens = self.post("/v1/tokens", None, &json!({ "email": email, "password": password })).await?;
        let token = tokens["access_token"].as_str();
        let product =
            json!({ "name": "Proof of a backup", "description": "", "price": 100, "quantity": 1, "metadata": {} });
        let product = self.post("/v1/products", token, &product).await?["id"].clone();
        let details = json!({ "card_number": CARD, "expiry_month": 12, "expiry_year": 2035, "cvc": "123" });
        let method = json!({ "payment_type": "card", "details": details });
        let method = self.post("/v1/payment-methods", token, &method).await?["id"].clone();
        let order = json!({ "product_id": product, "quantity": 1, "payment_method_id": method });
        let order = self.post("/v1/orders", token, &order).await?;
        match order["status"].as_str() {
            Some("paid") => Ok(format!("the services start on it and sold order {}", order["id"])),
            _ => Err(format!("the order is not paid: {order}").into()),
        }
    }

    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> BackupResult<Value> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        request = request.header("Idempotency-Key", uuid::Uuid::now_v7().to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            return Err(format!("POST {path} answered {status}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }
}
