//! A PaymentService of one's own for each test.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use estore_api::inventory::InventoryApi;
use estore_kit::auth::{Claims, ISSUER, Verifier};
use estore_kit::db::Db;
use estore_testkit::cluster::{TestCluster, TestDatabase};
use http_body_util::BodyExt;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use super::fall::Fall;
use super::faulty_gateway::FaultyGateway;
use super::stock::Stock;
use crate::gateway::Gateway;
use crate::gateway::sandbox::Sandbox;
use crate::{MIGRATIONS, Payments, PaymentsConfig};

/// A buyer, another, and a member of staff.
pub(super) const BUYER: i32 = 7;
pub(super) const OTHER: i32 = 8;
pub(super) const STAFF: i32 = 9;
/// An administrator.
pub(super) const ADMIN: i32 = 10;
/// Someone whose address is not verified.
pub(super) const UNVERIFIED: i32 = 5;
/// A product at 2.50 and one at 10.00, with plenty of stock; one with a single unit.
pub(super) const TEA: i32 = 1;
pub(super) const CUP: i32 = 2;
pub(super) const LAST: i32 = 3;

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
    pub(super) json: Value,
}

impl Got {
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    pub(super) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    pub(super) fn is_replay(&self) -> bool {
        self.headers.contains_key("idempotent-replayed")
    }

    /// `id` as the integer it is.
    pub(super) fn id(&self) -> i64 {
        self.json["id"].as_i64().unwrap()
    }
}

/// The service with its surroundings.
pub(super) struct Bench {
    pub(super) payments: Payments,
    pub(super) stock: Arc<Stock>,
    pub(super) gateway: Arc<FaultyGateway>,
    pub(super) db: Db,
    pub(super) database: TestDatabase,
    router: Router,
    signing: EncodingKey,
}

impl Bench {
    pub(super) async fn start() -> Self {
        Self::configured(PaymentsConfig::default()).await
    }

    /// The same with settings of the test's own.
    pub(super) async fn configured(config: PaymentsConfig) -> Self {
        Self::start_with(config, |_| None).await
    }

    /// The same with settings and a gateway of the test's own.
    pub(super) async fn start_with(config: PaymentsConfig, own: impl FnOnce(&Db) -> Option<Arc<dyn Gateway>>) -> Self {
        estore_kit::telemetry::start("warn", false);
        let database = TestCluster::shared().await.database("payments", MIGRATIONS).await;
        let db = Db::new(database.logins(), 12).unwrap();
        let stock = Arc::new(Stock::default());
        stock.state.lock().unwrap().products =
            HashMap::from([(TEA, (250, 100_000)), (CUP, (1_000, 100_000)), (LAST, (500, 1))]);
        let gateway = Arc::new(FaultyGateway {
            sandbox: Sandbox::open(db.clone()).await.unwrap(),
            loses_sales: AtomicBool::new(false),
            loses_answers: AtomicBool::new(false),
            refuses_refunds: AtomicBool::new(false),
            sales: AtomicUsize::new(0),
            fall: Fall::default(),
        });
        let (inventory, charger): (Arc<dyn InventoryApi>, Arc<dyn Gateway>) = (stock.clone(), gateway.clone());
        let charger = own(&db).unwrap_or(charger);
        let config = PaymentsConfig { resume_after_seconds: 1, ..config };
        let payments = Payments::start_with(db.clone(), config, inventory, charger).await.unwrap();
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "test", "alg": "EdDSA", "x": x}]});
        let verifier = Arc::new(Verifier::given(&serde_json::from_value(keys).unwrap()));
        let router = Router::from(payments.router()).layer(Extension(verifier));
        let signing = EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref());
        Self { payments, stock, gateway, db, database, router, signing }
    }

    fn token(&self, user: i32, verified: bool) -> String {
        let roles = match user {
            STAFF => vec!["staff".to_owned()],
            ADMIN => vec!["admin".to_owned()],
            _ => Vec::new(),
        };
        let now = Timestamp::now().as_second();
        let (iss, aud, sub) = (ISSUER.to_owned(), ISSUER.to_owned(), user.to_string());
        let claims = Claims {
            iss,
            aud,
            sub,
            sid: "s".into(),
            iat: now,
            exp: now + 60,
            verified,
            roles,
            permissions: None,
            auth_time: None,
        };
        let header = Header { kid: Some("test".into()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.signing).unwrap()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Got { status, headers, bytes, json }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a request")]
    pub(super) fn request(
        &self,
        user: i32,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", format!("Bearer {}", self.token(user, user != UNVERIFIED)));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
    }

    pub(super) async fn get(&self, user: i32, path: &str) -> Got {
        self.send(self.request(user, "GET", path, None, &Value::Null)).await
    }

    pub(super) async fn post(&self, user: i32, path: &str, key: &str, body: Value) -> Got {
        self.send(self.request(user, "POST", path, Some(key), &body)).await
    }

    /// A card of the user's: the id of the payment method.
    pub(super) async fn card(&self, user: i32, number: &str) -> i64 {
        let details = json!({"card_number": number, "expiry_month": 12, "expiry_year": 2040, "cvc": "123"});
        let body = json!({"payment_type": "card", "details": details});
        let got = self.send(self.request(user, "POST", "/v1/payment-methods", None, &body)).await;
        assert!(matches!(got.status, 200 | 201), "{}", got.json);
        got.id()
    }

    /// Buys one product.
    #[expect(clippy::too_many_arguments, reason = "the parts of an order")]
    pub(super) async fn order(&self, user: i32, key: &str, product: i32, quantity: i32, card: i64) -> Got {
        let body = json!({"product_id": product, "quantity": quantity, "payment_method_id": card});
        self.post(user, "/v1/orders", key, body).await
    }

    /// One number out of the database.
    pub(super) async fn count(&self, sql: &str) -> i64 {
        self.db.row(sql, &[]).await.unwrap().unwrap().get(0)
    }

    /// Every check of the promises; panics naming the rows at fault.
    pub(super) async fn verify(&self) {
        for check in crate::CHECKS {
            let rows = self.db.rows(check.sql, &[]).await.unwrap();
            let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            assert!(found.is_empty(), "{}: {found:?}", check.name);
        }
    }

    /// Tells the neighbour everything that is to be told.
    pub(super) async fn relay(&self) {
        let holder = Uuid::now_v7();
        while crate::operations::relay_outbox::relay_outbox(&self.payments.shop, holder, true).await.unwrap() > 0 {}
    }
}
