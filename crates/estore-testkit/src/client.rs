//! A buyer's or an administrator's view of a shop: requests and answers as JSON.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{ADMIN_EMAIL, PASSWORD, Shop};

/// The card that approves.
pub const CARD_APPROVED: &str = "4242 4242 4242 4242";
/// Has a shop let those log in who have not proved their address.
pub const UNVERIFIED_MAY_LOG_IN: (&str, &str) = ("ESTORE_USERS__UNVERIFIED_MAY_LOG_IN", "true");
/// The card that declines.
pub const CARD_DECLINED: &str = "4000 0000 0000 0002";

/// How long an unused connection is kept. A command that a test waits for may hold up its only thread for longer than the
/// shop keeps one, and then nobody sees that it is closed.
const IDLE_TIME_MAX: Duration = Duration::from_secs(2);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by lower-case name.
    pub headers: HashMap<String, String>,
    /// The body as it came.
    pub text: String,
    /// The body as JSON, or null.
    pub json: Value,
}

impl Answer {
    /// Panics with the whole answer unless the status is this one.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// `code` of a problem.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// `id` as the integer it is.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.json["id"].as_i64().unwrap_or_default()
    }

    /// The pointers of the fields at fault.
    #[must_use]
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array();
        errors.into_iter().flatten().filter_map(|error| error["pointer"].as_str()).collect()
    }
}

/// Somebody who talks to a shop.
#[derive(Debug, Clone)]
pub struct Client {
    shop: crate::shop::Address,
    http: reqwest::Client,
    /// The access token, when logged in.
    pub token: Option<String>,
    /// The address logged in with.
    pub email: String,
}

impl Client {
    /// Nobody in particular.
    #[must_use]
    pub fn anonymous(shop: &Shop) -> Self {
        let http = reqwest::Client::builder().no_proxy().pool_idle_timeout(IDLE_TIME_MAX).build().expect("a client");
        Self { shop: shop.address.clone(), http, token: None, email: String::new() }
    }

    /// The same client at another address of the same shop.
    #[must_use]
    pub fn at(&self, address: &crate::shop::Address) -> Self {
        Self { shop: address.clone(), ..self.clone() }
    }

    /// The administrator.
    pub async fn admin(shop: &Shop) -> Self {
        Self::anonymous(shop).logged_in(ADMIN_EMAIL).await
    }

    /// A new customer with a verified address.
    pub async fn customer(shop: &Shop) -> Self {
        let client = Self::registered(shop).await;
        let mail = shop.mail_to(&client.email).await;
        let token = token_of(&mail);
        let _verified = client.post("/v1/users/verify", &json!({ "token": token })).await.expect(200);
        let email = client.email.clone();
        client.logged_in(&email).await
    }

    /// Somebody who has registered, with the address that the letter goes to, and is not logged in.
    pub async fn registered(shop: &Shop) -> Self {
        let email = format!("buyer-{}@shop.test", uuid::Uuid::now_v7().simple());
        let client = Self { email, ..Self::anonymous(shop) };
        let body = json!({ "email": client.email, "password": PASSWORD });
        let _registered = client.post("/v1/users", &body).await.expect(202);
        client
    }

    /// A new customer who has not verified the address, of a shop that was started with [`UNVERIFIED_MAY_LOG_IN`].
    pub async fn unverified(shop: &Shop) -> Self {
        let client = Self::registered(shop).await;
        let email = client.email.clone();
        client.logged_in(&email).await
    }

    /// The same client, logged in.
    pub async fn logged_in(mut self, email: &str) -> Self {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.post("/v1/tokens", &body).await.expect(200);
        self.token = answer.json["access_token"].as_str().map(str::to_owned);
        email.clone_into(&mut self.email);
        self
    }

    /// Registers a card; its id.
    pub async fn card(&self, number: &str) -> i64 {
        let details = json!({ "card_number": number, "expiry_month": 12, "expiry_year": 2035, "cvc": "123" });
        let body = json!({ "payment_type": "card", "details": details });
        let answer = self.post("/v1/payment-methods", &body).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
        answer.id()
    }

    /// Makes a product (as an administrator); its id.
    pub async fn product(&self, price: i64, quantity: i64) -> i64 {
        let name = format!("Product {}", uuid::Uuid::now_v7());
        let body = json!({ "name": name, "price": price, "quantity": quantity });
        self.post("/v1/products", &body).await.expect(201).id()
    }

    /// Orders one product under a key.
    pub async fn order(&self, key: &str, product: i64, quantity: i64, method: i64) -> Answer {
        let body = json!({ "product_id": product, "quantity": quantity, "payment_method_id": method });
        self.send(Method::POST, "/v1/orders", Some(&body), &[("idempotency-key", key)]).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    /// Any request with JSON and headers.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Answer {
        self.try_send(method, path, body, headers).await.expect("the shop answers")
    }

    /// The same where the shop may be away.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method, self.shop.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.finish(request, headers).await
    }

    /// A request with a body of any kind.
    pub async fn send_raw(&self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        let request = self.http.request(method, self.shop.url(path)).header("content-type", kind).body(body);
        self.finish(request, &[]).await.expect("the shop answers")
    }

    async fn finish(
        &self,
        mut request: reqwest::RequestBuilder,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { status, headers, text, json })
    }
}

/// The token that a mail carries on a line of its own.
#[must_use]
pub fn token_of(mail: &str) -> String {
    let line = mail.lines().find_map(|line| line.trim().strip_prefix("Token: "));
    line.unwrap_or_else(|| panic!("no token in this mail:\n{mail}")).trim().to_owned()
}
