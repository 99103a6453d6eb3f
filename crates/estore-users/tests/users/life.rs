//! An account from its registration to its end.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;

use crate::desk::{Desk, PASSWORD};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn register_verify_log_in_and_look() {
    let desk = Desk::open().await;
    let answer = desk.post("/v1/users", json!({"email": " Ada@Example.com ", "password": PASSWORD})).await.expect(202);
    assert_eq!(answer.json(), json!({"status": "verification_sent"}));
    desk.post("/v1/tokens", json!({"email": ADA, "password": PASSWORD})).await.expect(401);
    let token = desk.mailed_token(ADA, "verification").await;
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    assert_eq!(
        desk.post("/v1/users/verify", json!({"token": token})).await.expect(400).code(),
        "verification_token_invalid"
    );
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let me = desk.get("/v1/users/me", &access).await.expect(200).json();
    assert_eq!((me["email"].as_str(), me["is_verified"].as_bool()), (Some(ADA), Some(true)));
    assert_eq!(me["roles"].as_array().unwrap().len(), 0);
    assert!(me.get("hashed_password").is_none());
}

#[tokio::test]
async fn a_taken_address_answers_the_same_and_tells_its_owner() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.run("UPDATE mails SET created_at = created_at - interval '1 hour'").await;
    let taken = desk.post("/v1/users", json!({"email": ADA, "password": "another-pass-77"})).await.expect(202);
    let free =
        desk.post("/v1/users", json!({"email": "new@example.com", "password": "another-pass-77"})).await.expect(202);
    assert_eq!(taken.text, free.text);
    assert!(desk.letter(ADA, "already_registered").await.contains("you have one already"));
    assert_eq!(
        desk.post("/v1/tokens", json!({"email": ADA, "password": "another-pass-77"})).await.expect(401).code(),
        "invalid_credentials"
    );
    desk.log_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn wrong_password_unknown_address_and_inactive_account_look_alike() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let mut answers = Vec::new();
    answers.push(desk.post("/v1/tokens", json!({"email": ADA, "password": "wrong-one-42"})).await.expect(401));
    answers.push(
        desk.post("/v1/tokens", json!({"email": "nobody@example.com", "password": "wrong-one-42"})).await.expect(401),
    );
    answers.push(desk.post("/v1/tokens", json!({"email": "no address", "password": "x"})).await.expect(401));
    desk.run("UPDATE users SET is_active = false").await;
    answers.push(desk.post("/v1/tokens", json!({"email": ADA, "password": PASSWORD})).await.expect(401));
    let told: Vec<_> = answers.iter().map(|answer| (answer.code(), answer.json()["detail"].to_string())).collect();
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
}

#[tokio::test]
async fn the_time_of_an_answer_does_not_tell_who_has_an_account() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    for email in [ADA, "nobody@example.com"] {
        let start = Instant::now();
        desk.post("/v1/tokens", json!({"email": email, "password": "wrong-one-42"})).await.expect(401);
        assert!(start.elapsed() >= Duration::from_millis(300));
        for path in ["/v1/password-resets", "/v1/users/verify/resend"] {
            let start = Instant::now();
            desk.post(path, json!({"email": email})).await.expect(202);
            assert!(start.elapsed() >= Duration::from_millis(80), "{path}");
        }
    }
}

#[tokio::test]
async fn bad_input_is_named() {
    let desk = Desk::open().await;
    for (email, password, pointer) in [
        ("no-address", PASSWORD, "/email"),
        (ADA, "short", "/password"),
        (ADA, "Password123", "/password"),
        (ADA, "ada@example.com", "/password"),
        ("x@y.invalid", PASSWORD, "/email"),
    ] {
        let answer = desk.post("/v1/users", json!({"email": email, "password": password})).await.expect(422);
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD, "is_admin": true})).await.expect(422);
    desk.post("/v1/users", json!({"email": "a\u{0}@b.co", "password": PASSWORD})).await.expect(422);
    desk.post("/v1/users", json!({"email": ADA, "password": "🐢🐇🦔🐿️🦇🐝🦋 قميص"})).await.expect(202);
    assert_eq!(desk.number("SELECT count(*) FROM users").await, 1);
}

#[tokio::test]
async fn a_leaked_password_is_taken_nowhere() {
    const LEAKED: &str = "lantern-marsh-9";
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("leaked");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, LEAKED.as_bytes());
    std::fs::write(&list, format!("{}:3\r\n", hex::encode_upper(hash))).unwrap();
    let desk = Desk::open_with(|config| config.breached_passwords_file = list).await;
    let is_refused = |answer: crate::desk::Answer, pointer: &str| {
        let error = &answer.expect(422).json()["errors"][0];
        assert_eq!((error["pointer"].as_str(), error["code"].as_str()), (Some(pointer), Some("password_breached")));
    };
    let leaked = json!({"email": ADA, "password": LEAKED});
    is_refused(desk.post("/v1/users", leaked).await, "/password");
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let change = json!({"password": LEAKED, "current_password": PASSWORD});
    is_refused(desk.patch("/v1/users/me", &access, change).await, "/password");
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let reset = |password: &str| json!({"token": token, "new_password": password});
    is_refused(desk.post("/v1/password-resets/confirm", reset(LEAKED)).await, "/new_password");
    desk.post("/v1/password-resets/confirm", reset("lantern-marsh-8")).await.expect(200);
    assert!(desk.users.create_admin("root@example.com", LEAKED).await.unwrap_err().to_string().contains("leak"));
    desk.users.create_admin_once("root@example.com", PASSWORD).await.unwrap();
    let first = json!({"email": "root@example.com", "password": PASSWORD, "new_password": LEAKED});
    is_refused(desk.post("/v1/tokens", first).await, "/new_password");
}

#[tokio::test]
async fn a_password_is_reset_by_mail_and_every_session_ends() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (_, refresh) = desk.log_in(ADA, PASSWORD).await;
    let known = desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let unknown = desk.post("/v1/password-resets", json!({"email": "nobody@example.com"})).await.expect(202);
    assert_eq!(known.text, unknown.text);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let confirm = |password: &str| json!({"token": token, "new_password": password});
    let refused = desk.post("/v1/password-resets/confirm", confirm("password1")).await.expect(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/new_password");
    desk.post("/v1/password-resets/confirm", confirm("lantern-marsh-5")).await.expect(200);
    assert_eq!(
        desk.post("/v1/password-resets/confirm", confirm("lantern-marsh-6")).await.expect(400).code(),
        "reset_token_invalid"
    );
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    desk.post("/v1/tokens", json!({"email": ADA, "password": PASSWORD})).await.expect(401);
    desk.log_in(ADA, "lantern-marsh-5").await;
    desk.letter(ADA, "password_changed").await;
    desk.all_mail_left().await;
    assert!(desk.letters("nobody@example.com", "password_reset").is_empty());
}

#[tokio::test]
async fn the_address_changes_once_the_new_one_is_proved() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let change = json!({"email": "Lovelace@example.com"});
    desk.patch("/v1/users/me", &access, change).await.expect(422);
    let wrong = json!({"email": "lovelace@example.com", "current_password": "wrong-one-42"});
    assert_eq!(desk.patch("/v1/users/me", &access, wrong).await.expect(403).code(), "current_password_wrong");
    let change = json!({"email": "Lovelace@example.com", "current_password": PASSWORD});
    let me = desk.patch("/v1/users/me", &access, change).await.expect(200).json();
    assert_eq!((me["email"].as_str(), me["pending_email"].as_str()), (Some(ADA), Some("lovelace@example.com")));
    desk.letter(ADA, "email_change_asked").await;
    let token = desk.mailed_token("lovelace@example.com", "email_change").await;
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(400);
    desk.letter(ADA, "email_changed").await;
    let me = desk.get("/v1/users/me", &access).await.expect(200).json();
    assert_eq!((me["email"].as_str(), me["pending_email"].is_null()), (Some("lovelace@example.com"), true));
    desk.log_in("lovelace@example.com", PASSWORD).await;
}

#[tokio::test]
async fn a_taken_address_is_not_betrayed_by_a_change_and_cannot_be_taken_over() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let change = |email: &str| json!({"email": email, "current_password": PASSWORD});
    desk.patch("/v1/users/me", &access, change("free@example.com")).await.expect(200);
    let token = desk.mailed_token("free@example.com", "email_change").await;
    desk.customer("free@example.com").await;
    assert_eq!(desk.post("/v1/users/verify", json!({"token": token})).await.expect(409).code(), "email_taken");
    desk.run("UPDATE mails SET created_at = created_at - interval '1 hour'").await;
    let me = desk.patch("/v1/users/me", &access, change("free@example.com")).await.expect(200).json();
    assert_eq!(me["pending_email"], "free@example.com");
    desk.letter("free@example.com", "already_registered").await;
    assert_eq!(desk.letters("free@example.com", "email_change").len(), 1);
}

#[tokio::test]
async fn a_changed_password_ends_all_sessions() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, refresh) = desk.log_in(ADA, PASSWORD).await;
    let change = json!({"password": "lantern-marsh-5", "current_password": PASSWORD});
    desk.patch("/v1/users/me", &access, change).await.expect(200);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    desk.log_in(ADA, "lantern-marsh-5").await;
}

#[tokio::test]
async fn an_erased_account_keeps_its_number_and_nothing_else() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, refresh) = desk.log_in(ADA, PASSWORD).await;
    let export = desk.get("/v1/users/me/export", &access).await.expect(200).json();
    assert_eq!((export["user"]["email"].as_str(), export["sessions"].as_array().unwrap().len()), (Some(ADA), 1));
    let id = desk.id_of(ADA).await;
    assert_eq!(export["orders"], json!([{"user_id": id}]));
    let erase = |password: &str| Some(json!({"current_password": password}));
    desk.call(Method::DELETE, "/v1/users/me", Some(&access), erase("wrong-one-42")).await.expect(403);
    desk.call(Method::DELETE, "/v1/users/me", Some(&access), erase(PASSWORD)).await.expect(204);
    assert_eq!(desk.text("SELECT email FROM users").await, format!("erased-{id}@invalid"));
    desk.get("/v1/users/me", &access).await.expect(401);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    desk.post("/v1/tokens", json!({"email": ADA, "password": PASSWORD})).await.expect(401);
    desk.letter(ADA, "erased").await;
    desk.customer(ADA).await;
    assert_ne!(desk.id_of(ADA).await, id);
}
