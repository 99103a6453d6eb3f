//! localstripe in a process of its own: a peer for the gateway `stripe` that we did not write.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long it may take to answer first.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// What the shop calls it with.
pub const API_KEY: &str = "sk_test_12345";

/// localstripe; it ends with this value.
#[derive(Debug)]
pub struct LocalStripe {
    process: Child,
    /// Where it answers.
    pub url: String,
    http: reqwest::Client,
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl LocalStripe {
    /// `None`, saying so, where it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("ESTORE_TEST_LOCALSTRIPE") else {
            eprintln!("skipped: ESTORE_TEST_LOCALSTRIPE does not name localstripe; script/test installs it.");
            return None;
        };
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut peer = Self::launch(&program, &http);
        let begun = Instant::now();
        while peer.http.get(&peer.url).send().await.is_err() {
            assert!(begun.elapsed() < START_TIME_MAX, "localstripe does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
            // Somebody else took the port before it did.
            if matches!(peer.process.try_wait(), Ok(Some(_ended))) {
                peer = Self::launch(&program, &http);
            }
        }
        Some(peer)
    }

    fn launch(program: &OsStr, http: &reqwest::Client) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["--from-scratch", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("localstripe starts");
        Self { process, url: format!("http://127.0.0.1:{port}"), http: http.clone() }
    }

    /// `POST`s JSON to it.
    ///
    /// # Panics
    /// When it refuses.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(API_KEY).json(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }

    /// Everything in one of its lists.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn list(&self, what: &str) -> Vec<Value> {
        let url = format!("{}/v1/{what}?limit=1000", self.url);
        let answer: Value = self.http.get(url).bearer_auth(API_KEY).send().await.unwrap().json().await.unwrap();
        answer["data"].as_array().unwrap().clone()
    }

    /// A card as the buyer's browser would give it to Stripe: the payment method's id.
    ///
    /// # Panics
    /// When it refuses the card.
    pub async fn method(&self, number: &str) -> String {
        let card = json!({"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"});
        let made = self.post("/v1/payment_methods", &json!({"type": "card", "card": card})).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// The buyer does, or does not, what the bank wants; `action` is what the shop answered.
    ///
    /// # Panics
    /// When it refuses.
    pub async fn authenticate(&self, action: &Value, success: bool) {
        let secret = action["client_secret"].as_str().unwrap();
        let intent = secret.split("_secret_").next().unwrap();
        let path = format!("/v1/payment_intents/{intent}/_authenticate");
        self.post(&path, &json!({"client_secret": secret, "success": success})).await;
    }

    /// Cents that were taken and not given back, by its own books.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn balance(&self) -> i64 {
        let charges = self.list("charges").await;
        let taken = charges.iter().filter(|charge| charge["captured"] == true && charge["status"] == "succeeded");
        let refunds = self.list("refunds").await;
        let sum = |all: Vec<&Value>| all.iter().map(|one| one["amount"].as_i64().unwrap()).sum::<i64>();
        sum(taken.collect()) - sum(refunds.iter().collect())
    }
}
