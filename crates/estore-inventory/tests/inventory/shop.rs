//! A shop with an empty inventory, and a client of its routes.

use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estore_api::inventory::{HoldLine, HoldOutcome, HoldRequest, InventoryApi};
use estore_inventory::{CHECKS, Inventory, InventoryConfig, MIGRATIONS};
use estore_kit::auth::{Claims, ISSUER, Verifier};
use estore_kit::db::Db;
use estore_kit::edge::{EdgeLimits, edge};
use estore_testkit::cluster::{TestCluster, TestDatabase};
use http_body_util::BodyExt;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

/// The administrator's user id in tokens.
pub const ADMIN_ID: i32 = 7;

pub struct Shop {
    pub inventory: Inventory,
    pub database: Arc<TestDatabase>,
    pub db: Db,
    router: Router,
    admin_token: String,
    customer_token: String,
}

/// An answer read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub etag: Option<String>,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// Asserts the status and hands the body on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json
    }

    /// Asserts a problem's status and code, and that it names this field.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str, pointer: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        if !pointer.is_empty() {
            let errors = body["errors"].as_array().unwrap();
            assert!(errors.iter().any(|error| error["pointer"] == pointer), "{body}");
        }
        body
    }
}

impl Shop {
    pub async fn open() -> Self {
        Self::open_with(InventoryConfig::default()).await
    }

    pub async fn open_with(config: InventoryConfig) -> Self {
        let database = TestCluster::shared().await.database("inventory", MIGRATIONS).await;
        let db = Db::new(database.logins(), 8).unwrap();
        Self::start(Arc::new(database), db, config).await
    }

    /// The same shop, going to its database by another way.
    pub async fn on(self, db: Db) -> Self {
        Self::start(self.database, db, InventoryConfig::default()).await
    }

    /// Another process of the same shop.
    pub async fn another(&self, config: InventoryConfig) -> Self {
        let db = Db::new(self.database.logins(), 8).unwrap();
        Self::start(Arc::clone(&self.database), db, config).await
    }

    async fn start(database: Arc<TestDatabase>, db: Db, config: InventoryConfig) -> Self {
        let inventory = Inventory::start(db.clone(), config).await.unwrap();
        let (verifier, admin_token, customer_token) = tokens();
        let (router, _openapi) = inventory.router().split_for_parts();
        let router = edge(router.layer(Extension(Arc::new(verifier))), &EdgeLimits::default());
        Self { inventory, database, db, router, admin_token, customer_token }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let etag = response.headers().get(header::ETAG).map(|tag| tag.to_str().unwrap().to_owned());
        let headers = response.headers().clone();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, etag, headers, bytes, text, json }
    }

    fn request(&self, method: &str, path: &str, token: Option<&str>) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        match token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    /// As a visitor.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path, None).body(Body::empty()).unwrap()).await
    }

    /// As a visitor with a header.
    pub async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.send(self.request("GET", path, None).header(name, value).body(Body::empty()).unwrap()).await
    }

    /// As the administrator, with a body unless it is null.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        self.admin_if(method, path, None, body).await
    }

    /// The same with `If-Match`.
    pub async fn admin_if(&self, method: &str, path: &str, edition: Option<&str>, body: Value) -> Answer {
        let mut request = self.request(method, path, Some(&self.admin_token));
        if let Some(edition) = edition {
            request = request.header(header::IF_MATCH, edition);
        }
        if body.is_null() {
            return self.send(request.body(Body::empty()).unwrap()).await;
        }
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// As somebody who is no administrator.
    pub async fn customer(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path, Some(&self.customer_token));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Imports a CSV file as the administrator.
    pub async fn import(&self, csv: impl Into<Body>) -> Answer {
        let request = self.request("POST", "/v1/products/import", Some(&self.admin_token));
        self.send(request.header(header::CONTENT_TYPE, "text/csv").body(csv.into()).unwrap()).await
    }

    /// A product for sale; answers its id.
    pub async fn product(&self, name: &str, price: i32, quantity: i32) -> i32 {
        let body = json!({"name": name, "price": price, "quantity": quantity});
        id(&self.admin("POST", "/v1/products", body).await.expect(201))
    }

    /// A category; answers its id.
    pub async fn category(&self, name: &str, parent_id: Option<i32>) -> i32 {
        let body = json!({"name": name, "parent_id": parent_id});
        id(&self.admin("POST", "/v1/categories", body).await.expect(201))
    }

    pub async fn quantity(&self, product_id: i32) -> i64 {
        let answer = self.admin("GET", &format!("/v1/products/{product_id}"), Value::Null).await;
        answer.expect(200)["quantity"].as_i64().unwrap()
    }

    /// One checkout's hold.
    pub async fn hold(&self, checkout_id: Uuid, lines: &[(i32, i32)]) -> HoldOutcome {
        self.inventory.hold(vec![hold_request(checkout_id, lines)]).await.unwrap().remove(0)
    }

    /// Asserts that every promise holds.
    pub async fn verify(&self) {
        for check in CHECKS {
            let rows = self.db.rows(check.sql, &[]).await.unwrap();
            let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            assert!(found.is_empty(), "{}: {found:?}", check.name);
        }
    }
}

pub fn hold_request(checkout_id: Uuid, lines: &[(i32, i32)]) -> HoldRequest {
    let lines = lines.iter().map(|(product_id, quantity)| HoldLine { product_id: *product_id, quantity: *quantity });
    HoldRequest { checkout_id, lines: lines.collect(), server: None }
}

/// A product without the moment of its stock, which differs from read to read.
pub fn without_moment(mut product: Value) -> Value {
    let moment = product.as_object_mut().unwrap().remove("stock_as_of");
    assert!(moment.is_some_and(|moment| moment.as_str().is_some_and(|moment| moment.ends_with('Z'))));
    product
}

pub fn id(body: &Value) -> i32 {
    i32::try_from(body["id"].as_i64().unwrap()).unwrap()
}

/// A verifier with tokens of an administrator and of a customer that it takes.
fn tokens() -> (Verifier, String, String) {
    let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let set: JwkSet = serde_json::from_value(json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "test", "x": x}
    ]}))
    .unwrap();
    let key = EncodingKey::from_ed_der(document.as_ref());
    let token = |user_id: i32, roles: &[&str]| {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: user_id.to_string(),
            sid: "test".to_owned(),
            iat: 0,
            exp: 4_000_000_000,
            verified: true,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            permissions: None,
            auth_time: None,
        };
        let header = Header { kid: Some("test".to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &key).unwrap()
    };
    (Verifier::given(&set), token(ADMIN_ID, &["admin"]), token(8, &[]))
}
