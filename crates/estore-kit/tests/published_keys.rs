//! Keys that another process publishes: taken when they change, asked for seldom, and forgotten with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estore_kit::auth::{Claims, ISSUER, Verifier};
use estore_kit::service_client::ServiceClient;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A key, and its public half as it is published.
struct Key {
    name: &'static str,
    private: EncodingKey,
    set: Value,
}

impl Key {
    fn new(name: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": name, "alg": "EdDSA", "x": x}]});
        Self { name, private: EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref()), set }
    }

    fn token(&self, user: i32, kid: &str) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: user.to_string(),
            sid: "s".to_owned(),
            iat: 0,
            exp: 4_102_444_800,
            verified: true,
            roles: Vec::new(),
            permissions: None,
            auth_time: None,
        };
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.private).unwrap()
    }
}

#[tokio::test]
async fn a_new_key_is_taken_made_up_ones_are_not_looked_for_and_the_old_one_is_forgotten() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let (publish, published) = watch::channel(old.set.clone());
    let looks = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&looks);
    let routes = Router::new().route(
        "/keys",
        get(async move || {
            seen.fetch_add(1, SeqCst);
            Json(published.borrow().clone())
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let verifier = Verifier::published(url, ServiceClient::new(Duration::from_secs(10), None).unwrap());

    let begun = Instant::now();
    assert_eq!(verifier.verify(&old.token(7, old.name)).await.unwrap().user_id, 7);
    for n in 0..100 {
        let made_up = verifier.verify(&new.token(7, &format!("made-up-{n}"))).await.unwrap_err();
        assert_eq!(made_up.code, "invalid_token");
    }
    let (looks, seconds) = (looks.load(SeqCst), begun.elapsed().as_secs());
    assert!(looks <= 1 + seconds / 5, "{looks} looks within {seconds} s");

    publish.send(new.set.clone()).unwrap();
    while verifier.verify(&new.token(8, new.name)).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the new key is never taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(verifier.verify(&old.token(9, old.name)).await.unwrap_err().code, "invalid_token");
}
