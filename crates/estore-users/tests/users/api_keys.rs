//! Keys of programs: what they open, and how they end.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::authenticator::Authenticator;
use crate::desk::{Desk, PASSWORD};
use crate::passkeys::add;

const ADA: &str = "ada@example.com";
const ROOT: &str = "root@example.com";

async fn make(desk: &Desk, root: &str, wish: Value) -> Value {
    desk.call(Method::POST, "/v1/api-keys", Some(root), Some(wish)).await.expect(201).json()
}

#[tokio::test]
async fn a_key_opens_the_routes_of_its_scopes_alone() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    desk.customer(ADA).await;
    let made = make(&desk, &root, json!({"name": "  scanner ", "scopes": ["users", "orders", "users"]})).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("estore_key_") && secret.len() == 54, "{made}");
    assert_eq!((made["name"].as_str(), &made["scopes"]), (Some("scanner"), &json!(["orders", "users"])));
    assert!(secret.starts_with(made["hint"].as_str().unwrap()));

    desk.get("/v1/users?limit=1", secret).await.expect(200);
    let ada = format!("/v1/users/{}", desk.id_of(ADA).await);
    desk.patch(&ada, secret, json!({"is_active": false})).await.expect(200);
    // It is no person and no administrator, though its maker is both.
    for (method, path) in [
        (Method::GET, "/v1/users/me"),
        (Method::GET, "/v1/users/me/export"),
        (Method::GET, "/v1/users/me/sessions"),
        (Method::DELETE, "/v1/tokens"),
        (Method::GET, "/v1/api-keys"),
    ] {
        assert_eq!(desk.call(method, path, Some(secret), None).await.expect(403).code(), "api_key_not_accepted");
    }
    assert_eq!(desk.patch(&ada, secret, json!({"roles": ["admin"]})).await.expect(403).code(), "role_required");
    let other = make(&desk, &root, json!({"name": "importer", "scopes": ["catalogue"], "expires_in_days": 1})).await;
    let refused = desk.get("/v1/users", other["secret"].as_str().unwrap()).await.expect(403);
    assert_eq!(refused.code(), "role_required");
    for wrong in [format!("{secret}x"), "estore_key_".to_owned(), format!("estore_key_{}", "A".repeat(43))] {
        assert_eq!(desk.get("/v1/users", &wrong).await.expect(401).code(), "api_key_invalid");
    }

    let listed = desk.get("/v1/api-keys?limit=1", &root).await.expect(200);
    assert!(!listed.text.contains(secret));
    assert_eq!(listed.json()["data"][0]["name"], "importer");
    let rest = format!("/v1/api-keys?cursor={}", listed.json()["next_cursor"].as_str().unwrap());
    let rest = desk.get(&rest, &root).await.expect(200).json();
    assert!(rest["data"][0]["last_used_at"].is_string() && rest["next_cursor"].is_null(), "{rest}");
    assert_eq!(desk.text("SELECT string_agg(k::text, '') FROM api_keys k").await.find(secret), None);
}

#[tokio::test]
async fn only_administrators_make_keys_and_bad_wishes_are_named() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let wish = json!({"name": "x", "scopes": ["orders"]});
    desk.call(Method::POST, "/v1/api-keys", Some(&access), Some(wish.clone())).await.expect(403);
    desk.call(Method::POST, "/v1/api-keys", None, Some(wish)).await.expect(401);
    desk.get("/v1/api-keys", &access).await.expect(403);
    for (wish, pointer) in [
        (json!({"name": " ", "scopes": ["orders"]}), "/name"),
        (json!({"name": "x".repeat(101), "scopes": ["orders"]}), "/name"),
        (json!({"name": "x", "scopes": []}), "/scopes"),
        (json!({"name": "x", "scopes": ["admin"]}), "/scopes/0"),
        (json!({"name": "x", "scopes": ["orders"], "expires_in_days": 0}), "/expires_in_days"),
        (json!({"name": "x", "scopes": ["orders"], "expires_in_days": 366}), "/expires_in_days"),
    ] {
        let refused = desk.call(Method::POST, "/v1/api-keys", Some(&root), Some(wish)).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    desk.run(
        "INSERT INTO api_keys (id, user_id, name, key_hash, hint, scopes, expires_at)
         SELECT gen_random_uuid(), id, 'k', encode(sha256(n::text::bytea), 'hex'), '', '{orders}', now() + interval '1 day'
         FROM users, generate_series(1, 100) AS n WHERE is_admin",
    )
    .await;
    let many = Some(json!({"name": "x", "scopes": ["orders"]}));
    let refused = desk.call(Method::POST, "/v1/api-keys", Some(&root), many).await.expect(409);
    assert_eq!(refused.code(), "too_many_api_keys");
}

/// Waits until the key is refused.
async fn is_refused(desk: &Desk, key: &str, why: &str) {
    let begun = Instant::now();
    while desk.get("/v1/users?limit=1", key).await.status == 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{why}: the key is never refused");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(desk.get("/v1/users?limit=1", key).await.expect(401).code(), "api_key_invalid", "{why}");
}

#[tokio::test]
async fn whatever_ends_a_key_ends_it_in_every_process() {
    let desk = Desk::open().await;
    let (root, boss) = (desk.admin(ROOT).await, desk.admin("boss@example.com").await);
    let another = desk.another().await;
    let key = async |maker: &str| {
        let made = make(&desk, maker, json!({"name": "x", "scopes": ["users"]})).await;
        let secret = made["secret"].as_str().unwrap().to_owned();
        for desk in [&desk, &another] {
            desk.get("/v1/users?limit=1", &secret).await.expect(200);
        }
        (format!("/v1/api-keys/{}", made["id"].as_str().unwrap()), secret)
    };
    let (path, revoked) = key(&root).await;
    desk.call(Method::DELETE, &path, Some(&root), None).await.expect(204);
    desk.call(Method::DELETE, &path, Some(&root), None).await.expect(404);
    assert_eq!(desk.get("/v1/users", &revoked).await.expect(401).code(), "api_key_invalid");
    is_refused(&another, &revoked, "revoked").await;
    is_refused(&desk.another().await, &revoked, "before its time").await;

    let (_, orphaned) = key(&boss).await;
    let path = format!("/v1/users/{}", desk.id_of("boss@example.com").await);
    desk.patch(&path, &root, json!({"is_active": false})).await.expect(200);
    is_refused(&desk, &orphaned, "its maker is gone").await;
    is_refused(&another, &orphaned, "its maker is gone").await;
    desk.patch(&path, &root, json!({"is_active": true})).await.expect(200);
    is_refused(&desk.another().await, &orphaned, "its maker was gone").await;

    let (_, expired) = key(&root).await;
    desk.run("UPDATE api_keys SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day'").await;
    is_refused(&desk.another().await, &expired, "expired").await;
}

#[tokio::test]
async fn a_new_key_is_told_and_a_new_password_names_what_goes_on_without_it() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    let made = make(&desk, &root, json!({"name": "visit evil.example", "scopes": ["users"]})).await;
    let told = desk.letter(ROOT, "api_key_made").await;
    assert!(!told.contains("evil.example") && !told.contains(made["secret"].as_str().unwrap()), "{told}");
    add(&desk, &root, &mut Authenticator::new(), false).await;
    let change = json!({"current_password": PASSWORD, "password": "lantern-marsh-5"});
    desk.patch("/v1/users/me", &root, change).await.expect(200);
    let told = desk.letter(ROOT, "password_changed").await;
    assert!(told.contains("Still good without the password: 1 passkey and 1 API key in your name."), "{told}");
    // The shop's programs go on; whoever does not know a key revokes it.
    desk.get("/v1/users?limit=1", made["secret"].as_str().unwrap()).await.expect(200);

    desk.customer(ADA).await;
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let reset = json!({"token": token, "new_password": "lantern-marsh-6"});
    desk.post("/v1/password-resets/confirm", reset).await.expect(200);
    assert!(!desk.letter(ADA, "password_changed").await.contains("Still good"));
}

#[tokio::test]
async fn a_key_may_no_more_than_its_maker_now() {
    let desk = Desk::open().await;
    let (_root, boss) = (desk.admin(ROOT).await, desk.admin("boss@example.com").await);
    let made = make(&desk, &boss, json!({"name": "x", "scopes": ["users", "orders"]})).await;
    desk.users
        .grant_roles("boss@example.com", &[estore_users::Role::Orders], &[estore_users::Role::Admin])
        .await
        .unwrap();
    let other = desk.another().await;
    let refused = other.get("/v1/users", made["secret"].as_str().unwrap()).await.expect(403);
    assert_eq!(refused.code(), "role_required");
}
