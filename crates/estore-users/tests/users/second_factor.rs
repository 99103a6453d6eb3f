//! Log-ins by two steps: codes, recovery, and what takes a recent proof.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, PASSWORD, tokens};

const ADA: &str = "ada@example.com";
const TOTP: &str = "/v1/users/me/totp";

/// The code of a secret in base 32, `steps` half minutes from now, after RFC 6238 and on its own.
fn code(secret: &str, steps: i64) -> String {
    let bits: String =
        secret.bytes().map(|c| format!("{:05b}", if c < b'A' { c - b'2' + 26 } else { c - b'A' })).collect();
    let key: Vec<u8> = (0..bits.len() / 8).map(|n| u8::from_str_radix(&bits[n * 8..n * 8 + 8], 2).unwrap()).collect();
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(now / 30 + steps).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn post(desk: &Desk, path: &str, access: &str, body: Value) -> Answer {
    desk.call(Method::POST, path, Some(access), Some(body)).await
}

/// Ada, with a second factor: the secret and the recovery codes.
async fn enrolled(desk: &Desk) -> (String, Vec<String>) {
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    assert_eq!(
        post(desk, TOTP, &access, json!({"current_password": "wrong-one-42"})).await.expect(403).code(),
        "current_password_wrong"
    );
    let begun = post(desk, TOTP, &access, json!({"current_password": PASSWORD})).await.expect(201).json();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    assert!(begun["uri"].as_str().unwrap().contains(&secret));
    // Nothing is asked for until the first code has come.
    desk.log_in(ADA, PASSWORD).await;
    let wrong = code("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0);
    let confirm = format!("{TOTP}/confirm");
    assert_eq!(post(desk, &confirm, &access, json!({"totp": wrong})).await.expect(403).code(), "second_factor_wrong");
    let done = post(desk, &confirm, &access, json!({"totp": code(&secret, 0)})).await.expect(200).json();
    let codes: Vec<_> =
        done["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    let state = desk.get(TOTP, &access).await.expect(200).json();
    assert_eq!(state, json!({"is_enabled": true, "recovery_codes_left": 10}));
    assert_eq!(
        post(desk, TOTP, &access, json!({"current_password": PASSWORD})).await.expect(409).code(),
        "totp_enabled"
    );
    assert_eq!(post(desk, &confirm, &access, json!({"totp": "000000"})).await.expect(409).code(), "totp_enabled");
    desk.letter(ADA, "totp_on").await;
    assert!(desk.id_of(ADA).await == asked_by(desk, "totp_factors").await.unwrap());
    assert!(desk.id_of(ADA).await == asked_by(desk, "recovery_codes").await.unwrap());
    (secret, codes)
}

/// Who the audit log says changed the rows of a table, where that was one, in requests.
async fn asked_by(desk: &Desk, table: &str) -> Option<i32> {
    let sql = "SELECT min(user_id) FILTER (WHERE request_id <> '') FROM audit_log WHERE table_name = $1
               HAVING count(*) = count(*) FILTER (WHERE request_id <> '') AND min(user_id) = max(user_id)";
    desk.db.row(sql, &[&table]).await.unwrap()?.get(0)
}

async fn log_in(desk: &Desk, password: &str, more: Value) -> Answer {
    let mut body = json!({"email": ADA, "password": password});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    desk.post("/v1/tokens", body).await
}

/// Codes may be used again: as if half an hour had gone by.
async fn later(desk: &Desk) {
    desk.run("UPDATE totp_factors SET last_step = 0").await;
}

#[tokio::test]
async fn a_log_in_takes_two_steps_and_each_code_once() {
    let desk = Desk::open().await;
    let (secret, _) = enrolled(&desk).await;
    let needed = log_in(&desk, PASSWORD, json!({})).await.expect(403);
    assert_eq!((needed.code().as_str(), &needed.json()["errors"][0]["pointer"]), ("totp_required", &json!("/totp")));
    // Who does not know the password learns nothing of it.
    let refused = log_in(&desk, "wrong-one-42", json!({"totp": code(&secret, 1)})).await.expect(401);
    assert_eq!(refused.code(), "invalid_credentials");
    later(&desk).await;
    let now = code(&secret, 0);
    let (one, other) =
        tokio::join!(log_in(&desk, PASSWORD, json!({"totp": now})), log_in(&desk, PASSWORD, json!({"totp": now})),);
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", one.text, other.text);
    let replayed = log_in(&desk, PASSWORD, json!({"totp": now})).await.expect(401);
    assert_eq!(replayed.code(), "second_factor_wrong");
    // Nor does an older one, though its time is not over.
    assert_eq!(
        log_in(&desk, PASSWORD, json!({"totp": code(&secret, -1)})).await.expect(401).code(),
        "second_factor_wrong"
    );
}

#[tokio::test]
async fn codes_are_not_guessed() {
    let desk = Desk::open().await;
    enrolled(&desk).await;
    let guesses = (0..12).map(|n| json!({"totp": format!("{n:06}")}));
    let mut delayed = false;
    for guess in guesses {
        delayed |= log_in(&desk, PASSWORD, guess).await.status == 429;
        desk.run("UPDATE log_in_failures SET last_at = now()").await;
    }
    assert!(delayed, "nobody ever has to wait");
}

#[tokio::test]
async fn nor_are_they_by_whoever_has_a_session_and_the_password() {
    let desk = Desk::open().await;
    let (_, codes) = enrolled(&desk).await;
    let (access, _) = tokens(&log_in(&desk, PASSWORD, json!({"recovery_code": codes[0]})).await.expect(200));
    let mut delayed = false;
    for n in 0..12 {
        let guess = json!({"current_password": PASSWORD, "totp": format!("{n:06}")});
        delayed |= post(&desk, "/v1/tokens/step-up", &access, guess).await.status == 429;
        desk.run("UPDATE log_in_failures SET last_at = now()").await;
    }
    assert!(delayed, "nobody ever has to wait");
}

#[tokio::test]
async fn what_was_begun_long_ago_is_not_confirmed() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let begun = post(&desk, TOTP, &access, json!({"current_password": PASSWORD})).await.expect(201).json();
    let first = json!({"totp": code(begun["secret"].as_str().unwrap(), 0)});
    desk.run("UPDATE totp_factors SET created_at = now() - interval '61 minutes'").await;
    let late = post(&desk, &format!("{TOTP}/confirm"), &access, first).await.expect(409);
    assert_eq!(late.code(), "totp_not_started");
    desk.log_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn a_recovery_code_does_once_however_it_is_typed() {
    let desk = Desk::open().await;
    let (secret, codes) = enrolled(&desk).await;
    let typed = json!({"recovery_code": codes[3].to_lowercase().replace('-', " ")});
    let answers = join_all((0..3).map(|_| log_in(&desk, PASSWORD, typed.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    desk.letter(ADA, "recovery_code_used").await;
    let kept = desk.text("SELECT string_agg(code, ' ') FROM recovery_codes").await;
    assert!(kept.split(' ').count() == 9 && codes.iter().all(|code| !kept.contains(code.as_str())));
    log_in(&desk, PASSWORD, json!({"recovery_code": codes[3]})).await.expect(401);
    log_in(&desk, PASSWORD, json!({"recovery_code": codes[4], "totp": code(&secret, 1)})).await.expect(401);
    desk.run("DELETE FROM log_in_failures").await;
    let (access, _) = tokens(&log_in(&desk, PASSWORD, json!({"recovery_code": codes[4]})).await.expect(200));
    let owner = json!({"current_password": PASSWORD, "recovery_code": codes[5]});
    let renewed = post(&desk, &format!("{TOTP}/recovery-codes"), &access, owner).await.expect(200).json();
    assert_ne!(renewed["recovery_codes"][0], json!(codes[0]));
    log_in(&desk, PASSWORD, json!({"recovery_code": codes[0]})).await.expect(401);
    let new = json!({"recovery_code": renewed["recovery_codes"][9]});
    log_in(&desk, PASSWORD, new).await.expect(200);
}

#[tokio::test]
async fn what_matters_takes_the_second_step_too() {
    let desk = Desk::open().await;
    let (secret, codes) = enrolled(&desk).await;
    let (access, _) = tokens(&log_in(&desk, PASSWORD, json!({"recovery_code": codes[0]})).await.expect(200));
    let password = json!({"current_password": PASSWORD, "password": "lantern-marsh-5"});
    let address = json!({"current_password": PASSWORD, "email": "x@example.com"});
    let bare = json!({"current_password": PASSWORD});
    for change in [&password, &address] {
        assert_eq!(desk.patch("/v1/users/me", &access, change.clone()).await.expect(403).code(), "totp_required");
    }
    for path in [TOTP, "/v1/users/me"] {
        let refused = desk.call(Method::DELETE, path, Some(&access), Some(bare.clone())).await.expect(403);
        assert_eq!(refused.code(), "totp_required");
    }
    assert_eq!(post(&desk, "/v1/tokens/step-up", &access, bare.clone()).await.expect(403).code(), "totp_required");
    assert_eq!(desk.get(TOTP, &access).await.expect(200).json()["is_enabled"], true);
    // A reset by mail gives a password, not the device.
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let reset = json!({"token": token, "new_password": "lantern-marsh-6"});
    desk.post("/v1/password-resets/confirm", reset).await.expect(200);
    assert_eq!(log_in(&desk, "lantern-marsh-6", json!({})).await.expect(403).code(), "totp_required");

    later(&desk).await;
    let (access, _) = tokens(&log_in(&desk, "lantern-marsh-6", json!({"totp": code(&secret, 0)})).await.expect(200));
    later(&desk).await;
    let end = json!({"current_password": "lantern-marsh-6", "totp": code(&secret, 0)});
    desk.call(Method::DELETE, TOTP, Some(&access), Some(end.clone())).await.expect(204);
    desk.call(Method::DELETE, TOTP, Some(&access), Some(end)).await.expect(409);
    desk.letter(ADA, "totp_off").await;
    desk.log_in(ADA, "lantern-marsh-6").await;
    assert_eq!(desk.number("SELECT count(*) FROM recovery_codes").await, 0);
}

#[tokio::test]
async fn roles_and_keys_take_a_recent_log_in() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.users.create_admin("root@example.com", PASSWORD).await.unwrap();
    let (_, refresh) = desk.log_in("root@example.com", PASSWORD).await;
    desk.run("UPDATE sessions SET authenticated_at = now() - interval '6 minutes'").await;
    // A session that goes on proves nothing new.
    let (old, _) = tokens(&desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200));
    let path = format!("/v1/users/{}", desk.id_of(ADA).await);
    let (roles, wish) = (json!({"roles": ["staff"]}), json!({"name": "x", "scopes": ["orders"]}));
    desk.patch(&path, &old, json!({"is_active": true})).await.expect(200);
    assert_eq!(desk.patch(&path, &old, roles.clone()).await.expect(403).code(), "recent_log_in_required");
    assert_eq!(post(&desk, "/v1/api-keys", &old, wish.clone()).await.expect(403).code(), "recent_log_in_required");
    post(&desk, "/v1/tokens/step-up", &old, json!({"current_password": "wrong-one-42"})).await.expect(403);
    let fresh = post(&desk, "/v1/tokens/step-up", &old, json!({"current_password": PASSWORD})).await.expect(200).json();
    let fresh = fresh["access_token"].as_str().unwrap();
    desk.patch(&path, fresh, roles).await.expect(200);
    let key = post(&desk, "/v1/api-keys", fresh, wish).await.expect(201).json();
    let key = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
    desk.call(Method::DELETE, &key, Some(fresh), None).await.expect(204);
    assert_eq!(desk.number("SELECT count(*) FROM audit_log WHERE table_name = 'api_keys'").await, 2);
    assert_eq!(asked_by(&desk, "api_keys").await, Some(desk.id_of("root@example.com").await));
    // It is the same session, and ends with it.
    desk.call(Method::DELETE, "/v1/tokens", Some(&old), None).await.expect(204);
    desk.get("/v1/users/me", fresh).await.expect(401);
}

#[tokio::test]
async fn the_secret_is_sealed_and_a_lost_one_is_forgotten_by_the_shop() {
    let desk = Desk::open().await;
    let (secret, codes) = enrolled(&desk).await;
    let everything = "SELECT (SELECT string_agg(t::text, ' ') FROM totp_factors t) || (SELECT string_agg(r::text, ' ') FROM recovery_codes r)";
    let kept = desk.text(everything).await;
    assert!(!kept.contains(&secret) && codes.iter().all(|code| !kept.contains(code.as_str())));
    // Another account's does not open in its place.
    desk.customer("bob@example.com").await;
    desk.run(
        "INSERT INTO totp_factors (user_id, secret, confirmed_at)
         SELECT b.id, t.secret, now() FROM totp_factors t, users b WHERE b.email = 'bob@example.com'",
    )
    .await;
    let swapped = json!({"email": "bob@example.com", "password": PASSWORD, "totp": code(&secret, 0)});
    desk.post("/v1/tokens", swapped).await.expect(500);
    let others = json!({"email": "bob@example.com", "password": PASSWORD, "recovery_code": codes[0]});
    assert_eq!(desk.post("/v1/tokens", others).await.expect(401).code(), "second_factor_wrong");
    assert!(desk.users.forget_second_factor(ADA).await.unwrap());
    assert!(!desk.users.forget_second_factor(ADA).await.unwrap());
    desk.users.forget_second_factor("nobody@example.com").await.unwrap_err();
    desk.letter(ADA, "totp_off").await;
    desk.log_in(ADA, PASSWORD).await;
}
