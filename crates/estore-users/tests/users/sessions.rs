//! Tokens: rotation, reuse, single use under load, forgery.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::desk::{Desk, PASSWORD, tokens};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_refresh_token_rotates_and_its_reuse_ends_the_session() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (_, first) = desk.log_in(ADA, PASSWORD).await;
    let (_, other_session) = desk.log_in(ADA, PASSWORD).await;
    let refresh = |token: &str| json!({"refresh_token": token});
    let (access, second) = tokens(&desk.post("/v1/tokens/refresh", refresh(&first)).await.expect(200));
    assert_ne!(first, second);
    desk.get("/v1/users/me", &access).await.expect(200);
    assert_eq!(desk.post("/v1/tokens/refresh", refresh(&first)).await.expect(401).code(), "refresh_token_invalid");
    desk.post("/v1/tokens/refresh", refresh(&second)).await.expect(401);
    desk.post("/v1/tokens/refresh", refresh(&other_session)).await.expect(200);
    assert_eq!(desk.text("SELECT end_reason FROM sessions WHERE ended_at IS NOT NULL").await, "reuse");
}

#[tokio::test]
async fn a_logout_ends_its_session_alone() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, refresh) = desk.log_in(ADA, PASSWORD).await;
    let (_, other) = desk.log_in(ADA, PASSWORD).await;
    desk.call(Method::DELETE, "/v1/tokens", Some(&access), None).await.expect(204);
    let again = desk.call(Method::DELETE, "/v1/tokens", Some(&access), None).await.expect(401);
    assert_eq!(again.code(), "session_ended");
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": other})).await.expect(200);
    desk.call(Method::DELETE, "/v1/tokens", None, None).await.expect(401);
}

/// Waits until the access token is refused because its session has ended.
async fn is_refused(desk: &Desk, access: &str, why: &str) {
    let begun = Instant::now();
    loop {
        let answer = desk.get("/v1/users/me", access).await;
        // An account that is gone may be noticed before the end of its session is heard of.
        if answer.status == 401 && answer.code() != "account_inactive" {
            return assert_eq!(answer.code(), "session_ended", "{why}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{why}: the token is never refused");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn whatever_ends_a_session_ends_its_access_tokens() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let root = desk.admin("root@example.com").await;
    let id = desk.number("SELECT id::bigint FROM users WHERE email = 'ada@example.com'").await;

    let (reused, refresh) = desk.log_in(ADA, PASSWORD).await;
    let (other, _) = desk.log_in(ADA, PASSWORD).await;
    let body = json!({"refresh_token": refresh});
    let (rotated, _) = tokens(&desk.post("/v1/tokens/refresh", body.clone()).await.expect(200));
    desk.post("/v1/tokens/refresh", body).await.expect(401);
    is_refused(&desk, &reused, "reuse").await;
    is_refused(&desk, &rotated, "reuse").await;
    desk.get("/v1/users/me", &other).await.expect(200);

    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let body = json!({"token": token, "new_password": "lantern-marsh-1"});
    desk.post("/v1/password-resets/confirm", body).await.expect(200);
    is_refused(&desk, &other, "password reset").await;

    let (access, _) = desk.log_in(ADA, "lantern-marsh-1").await;
    let body = json!({"password": "lantern-marsh-2", "current_password": "lantern-marsh-1"});
    desk.call(Method::PATCH, "/v1/users/me", Some(&access), Some(body)).await.expect(200);
    is_refused(&desk, &access, "change of password").await;

    let (access, _) = desk.log_in(ADA, "lantern-marsh-2").await;
    for active in [false, true] {
        let body = json!({"is_active": active});
        desk.call(Method::PATCH, &format!("/v1/users/{id}"), Some(&root), Some(body)).await.expect(200);
    }
    is_refused(&desk, &access, "deactivation").await;

    let (access, _) = desk.log_in(ADA, "lantern-marsh-2").await;
    let body = json!({"current_password": "lantern-marsh-2"});
    desk.call(Method::DELETE, "/v1/users/me", Some(&access), Some(body)).await.expect(204);
    is_refused(&desk, &access, "erasure").await;
    desk.get("/v1/users/me", &root).await.expect(200);
}

#[tokio::test]
async fn open_sessions_are_listed_and_end_one_by_one() {
    const SESSIONS: &str = "/v1/users/me/sessions";
    let desk = Desk::open().await;
    for email in [ADA, "bob@example.com"] {
        desk.customer(email).await;
    }
    let (ada, bob) = (desk.log_in(ADA, PASSWORD).await.0, desk.log_in("bob@example.com", PASSWORD).await.0);
    let (lost, refresh) = desk.log_in(ADA, PASSWORD).await;
    let (borrowed, _) = desk.log_in(ADA, PASSWORD).await;
    desk.run("UPDATE sessions SET user_agent = 'a browser'").await;

    let page = desk.get(&format!("{SESSIONS}?limit=2"), &ada).await.expect(200).json();
    let rest = format!("{SESSIONS}?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = desk.get(&rest, &ada).await.expect(200).json();
    let all: Vec<_> = [&page, &rest].iter().flat_map(|page| page["data"].as_array().unwrap().clone()).collect();
    let current: Vec<_> = all.iter().map(|session| session["is_current"].as_bool().unwrap()).collect();
    assert_eq!((current, rest["next_cursor"].is_null()), (vec![false, false, true], true), "newest first");
    assert_eq!(all[0]["user_agent"], "a browser");

    let one = format!("{SESSIONS}/{}", all[1]["id"].as_str().unwrap());
    desk.call(Method::DELETE, &one, Some(&bob), None).await.expect(404);
    desk.get("/v1/users/me", &lost).await.expect(200);
    desk.call(Method::DELETE, &one, Some(&ada), None).await.expect(204);
    desk.call(Method::DELETE, &one, Some(&ada), None).await.expect(404);
    assert_eq!(desk.get("/v1/users/me", &lost).await.expect(401).code(), "session_ended");
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    desk.get("/v1/users/me", &borrowed).await.expect(200);

    let others = desk.call(Method::DELETE, SESSIONS, Some(&ada), None).await.expect(200);
    assert_eq!(others.json(), json!({"ended": 1}));
    desk.get("/v1/users/me", &borrowed).await.expect(401);
    assert_eq!(desk.get(SESSIONS, &ada).await.expect(200).json()["data"].as_array().unwrap().len(), 1);
    desk.get(SESSIONS, &bob).await.expect(200);
    for (method, path) in
        [(Method::GET, SESSIONS.to_owned()), (Method::DELETE, SESSIONS.to_owned()), (Method::DELETE, one.clone())]
    {
        desk.call(method, &path, None, None).await.expect(401);
    }
    desk.call(Method::DELETE, &format!("{SESSIONS}/x"), Some(&ada), None).await.expect(400);
    desk.get(&format!("{SESSIONS}?limit=0"), &ada).await.expect(400);
}

#[tokio::test]
async fn a_process_that_starts_later_knows_what_ended_before() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    desk.call(Method::DELETE, "/v1/tokens", Some(&access), None).await.expect(204);
    let later = desk.another().await;
    is_refused(&later, &access, "before its time").await;
}

#[tokio::test]
async fn a_refresh_looks_at_the_account_anew() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (_, refresh) = desk.log_in(ADA, PASSWORD).await;
    desk.run("INSERT INTO user_roles (user_id, role) SELECT id, 'staff' FROM users").await;
    let (access, refresh) =
        tokens(&desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200));
    let claims = URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["roles"], &claims["verified"]), (&json!(["staff"]), &json!(true)));
    desk.run("UPDATE users SET is_active = false").await;
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
}

#[tokio::test]
async fn twenty_at_once_use_a_mailed_token_once() {
    let desk = Arc::new(Desk::open().await);
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    let token = desk.mailed_token(ADA, "verification").await;
    let verified = join_all((0..20).map(|_| desk.post("/v1/users/verify", json!({"token": token})))).await;
    assert_eq!(verified.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(verified.iter().all(|answer| [200, 400].contains(&answer.status.as_u16())));

    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let body = |n: i32| json!({"token": token, "new_password": format!("lantern-marsh-{n}")});
    let reset = join_all((0..20).map(|n| desk.post("/v1/password-resets/confirm", body(n)))).await;
    assert_eq!(reset.iter().filter(|answer| answer.status == 200).count(), 1);
    // Twenty hashes at once are more than a busy machine does in time: who is sent away used nothing up.
    assert!(reset.iter().all(|answer| [200, 400, 503].contains(&answer.status.as_u16())));
}

#[tokio::test]
async fn twenty_at_once_refresh_once() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (_, refresh) = desk.log_in(ADA, PASSWORD).await;
    let answers = join_all((0..20).map(|_| desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| [200, 401].contains(&answer.status.as_u16())));
    assert_eq!(desk.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 0);
}

#[tokio::test]
async fn ended_tokens_are_refused() {
    let desk = Desk::open_to_unverified().await;
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    let token = desk.mailed_token(ADA, "verification").await;
    desk.run("UPDATE verification_tokens SET created_at = now() - interval '2 days', expires_at = now() - interval '1 second'").await;
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(400);
    let (_, refresh) = desk.log_in(ADA, PASSWORD).await;
    desk.run(
        "UPDATE refresh_tokens SET created_at = now() - interval '40 days', expires_at = now() - interval '1 second'",
    )
    .await;
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
}

#[tokio::test]
async fn forged_and_expired_access_tokens_are_refused() {
    let desk = Desk::open_with(|config| config.access_token_seconds = 1).await;
    desk.customer(ADA).await;
    let (access, refresh) = desk.log_in(ADA, PASSWORD).await;
    let parts: Vec<&str> = access.split('.').collect();
    let header = |alg: &str| URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "JWT", "kid": kid(&desk)}).to_string());
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let admin = URL_SAFE_NO_PAD.encode(claims.replace("\"roles\":[]", "\"roles\":[\"admin\"]"));
    let forged = [
        format!("{}.{}.", header("none"), parts[1]),
        format!("{}.{}.{}", header("HS256"), parts[1], parts[2]),
        format!("{}.{admin}.{}", parts[0], parts[2]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{access}x"),
        refresh,
    ];
    for token in forged {
        assert_eq!(desk.get("/v1/users/me", &token).await.expect(401).code(), "invalid_token", "{token}");
    }
    desk.get("/v1/users/me", &access).await.expect(200);
    for _ in 0..100 {
        let answer = desk.get("/v1/users/me", &access).await;
        // An account that is gone may be noticed before the end of its session is heard of.
        if answer.status == 401 && answer.code() != "account_inactive" {
            return assert_eq!(answer.code(), "token_expired");
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("a token of one second lives for more than ten");
}

fn kid(desk: &Desk) -> String {
    desk.users.key_set().keys[0].common.key_id.clone().unwrap()
}

#[tokio::test]
async fn the_published_set_has_the_key_and_no_secret() {
    let desk = Desk::open().await;
    let set = desk.call(Method::GET, "/.well-known/jwks.json", None, None).await.expect(200).json();
    let key = &set["keys"][0];
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str(), key["alg"].as_str()),
        (Some("OKP"), Some("Ed25519"), Some("EdDSA"))
    );
    assert!(key.get("d").is_none());
}

#[tokio::test]
async fn bcrypt_hashes_log_in_and_become_argon2() {
    let desk = Desk::open().await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    desk.db
        .execute("INSERT INTO users (email, hashed_password, is_verified) VALUES ($1, $2, true)", &[&ADA, &hash])
        .await
        .unwrap();
    desk.post("/v1/tokens", json!({"email": ADA, "password": "wrong-one-42"})).await.expect(401);
    assert_eq!(desk.text("SELECT hashed_password FROM users").await, hash);
    desk.log_in(ADA, PASSWORD).await;
    assert!(desk.text("SELECT hashed_password FROM users").await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    desk.log_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn nothing_is_stored_that_logs_in() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, refresh) = desk.log_in(ADA, PASSWORD).await;
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let reset = desk.mailed_token(ADA, "password_reset").await;
    desk.all_mail_left().await;
    let everything = desk
        .text(
            "SELECT concat((SELECT string_agg(users::text, '') FROM users), (SELECT string_agg(sessions::text, '') FROM sessions), \
             (SELECT string_agg(refresh_tokens::text, '') FROM refresh_tokens), (SELECT string_agg(mails::text, '') FROM mails), \
             (SELECT string_agg(password_reset_tokens::text, '') FROM password_reset_tokens))",
        )
        .await;
    for secret in [PASSWORD, access.as_str(), refresh.as_str(), reset.as_str()] {
        assert!(!everything.contains(secret));
    }
}
