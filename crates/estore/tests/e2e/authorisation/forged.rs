//! Tokens that somebody made or changed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estore_kit::auth::Claims;
use estore_kit::service_auth::ServiceSecret;
use estore_testkit::client::Client;
use estore_testkit::shop::Shop;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// A service's audience that none is asked as here.
const ELSEWHERE: &str = "elsewhere";

/// Tokens that are good for nothing, each by what is wrong with it. All but the service's name the customer, or claim to
/// be the administrator.
pub(super) async fn tokens(shop: &Shop, customer: &Client, admin_id: &str) -> Vec<(&'static str, String)> {
    let good = customer.token.clone().unwrap();
    let [head, body, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    let kid = header["kid"].as_str().unwrap();
    let raised = Claims { sub: admin_id.to_owned(), roles: vec!["admin".to_owned()], ..claims.clone() };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let raised_body = part(&serde_json::to_value(&raised).unwrap());

    // With the shop's own key, so that nothing but what is said can be wrong.
    let pem = std::fs::read(shop.address.data_dir.join("secrets/token-key.pem")).unwrap();
    let key = EncodingKey::from_ed_pem(&pem).unwrap();
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
    let signed = |claims: &Claims| encode(&header, claims, &key).unwrap();
    let (day, now) = (24 * 60 * 60, claims.iat);

    // The published key as if it were a shared secret.
    let set = customer.get("/.well-known/jwks.json").await.expect(200).json;
    let public = URL_SAFE_NO_PAD.decode(set["keys"][0]["x"].as_str().unwrap()).unwrap();
    let confused = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&confused, &raised, &EncodingKey::from_secret(&public)).unwrap();

    vec![
        ("a service's token for another audience", service_token(shop, ELSEWHERE)),
        ("an expired token", signed(&Claims { iat: now - 2 * day, exp: now - day, ..claims.clone() })),
        ("a token for another audience", signed(&Claims { aud: "elsewhere".to_owned(), ..claims.clone() })),
        ("a token of another issuer", signed(&Claims { iss: "elsewhere".to_owned(), ..claims.clone() })),
        ("a tampered token", format!("{head}.{raised_body}.{signature}")),
        ("a token without a signature", format!("{head}.{raised_body}.")),
        ("a token of alg none", format!("{}.{raised_body}.", part(&json!({ "alg": "none", "kid": kid })))),
        ("a token signed by the public key", confused),
        ("no token at all", "x".to_owned()),
    ]
}

/// What services show each other: good at the doors between them, and nowhere else.
pub(super) fn service_tokens(shop: &Shop) -> Vec<(&'static str, String)> {
    ["users", "inventory", "payments"].map(|audience| ("a service's token", service_token(shop, audience))).into()
}

/// Signed by the services' own secret where there is one.
fn service_token(shop: &Shop, audience: &str) -> String {
    let file = shop.address.data_dir.join("secrets/service-secret");
    let secret = std::fs::read_to_string(file).unwrap_or_else(|_none| "x".repeat(64));
    ServiceSecret::new(secret.trim().as_bytes()).unwrap().token("payments", audience).unwrap()
}
