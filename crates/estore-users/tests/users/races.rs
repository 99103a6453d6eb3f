//! Log-ins and farewells while their account changes.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use crate::desk::{Answer, Desk, PASSWORD, tokens};

const ADA: &str = "ada@example.com";

/// A log-in whose password was found right, and whose account is changed before its session begins.
async fn log_in_while(desk: &Desk, change: &str) -> Answer {
    asked_while(desk, desk.post("/v1/tokens", json!({"email": ADA, "password": PASSWORD})), change).await
}

/// What is asked of an account that is changed before it is locked.
async fn asked_while(desk: &Desk, asked: impl Future<Output = Answer>, change: &str) -> Answer {
    let (admin, connection) = desk.database.admin_config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    admin.batch_execute(&format!("BEGIN; SELECT FROM users WHERE email = '{ADA}' FOR UPDATE")).await.unwrap();
    let changed = async {
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        admin.batch_execute(&format!("{change}; COMMIT")).await.unwrap();
    };
    tokio::join!(asked, changed).0
}

#[tokio::test]
async fn a_session_does_not_begin_by_what_was_true_before() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let sessions = format!("SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE email = '{ADA}'");
    let before = desk.number(&sessions).await;
    for change in [
        "hashed_password = '!'",
        "is_active = false",
        "is_verified = false",
        "email = 'erased@example.com', hashed_password = '!'",
    ] {
        let kept = desk.text(&format!("SELECT hashed_password FROM users WHERE email = '{ADA}'")).await;
        let refused = log_in_while(&desk, &format!("UPDATE users SET {change} WHERE email = '{ADA}'")).await;
        assert_eq!(refused.expect(401).code(), "invalid_credentials", "{change}");
        desk.run(&format!(
            "UPDATE users SET email = '{ADA}', is_active = true, is_verified = true, hashed_password = '{kept}'"
        ))
        .await;
        assert_eq!(desk.number(&sessions).await, before, "{change}");
    }
    // What it may do is what it may do then.
    let staff = format!("INSERT INTO user_roles (user_id, role) SELECT id, 'orders' FROM users WHERE email = '{ADA}'");
    let roles = |answer: Answer| {
        let claims = tokens(&answer.expect(200)).0.split('.').nth(1).unwrap().to_owned();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        claims["roles"].clone()
    };
    assert_eq!(roles(log_in_while(&desk, &staff).await), json!(["orders"]));
    assert_eq!(roles(log_in_while(&desk, "DELETE FROM user_roles").await), json!([]));
}

#[tokio::test]
async fn two_at_once_with_a_hash_from_elsewhere_both_have_their_session() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    desk.run(&format!("UPDATE users SET hashed_password = '{hash}'")).await;
    let log_in = || desk.post("/v1/tokens", json!({"email": ADA, "password": PASSWORD}));
    for answer in join_all((0..4).map(|_| log_in())).await {
        answer.expect(200);
    }
    assert_eq!(desk.number("SELECT count(*) FROM users WHERE hashed_password LIKE '$argon2id$%'").await, 1);
}

#[tokio::test]
async fn no_account_is_erased_by_a_password_that_it_has_no_more() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    for change in ["hashed_password = '!'", "is_active = false"] {
        let body = Some(json!({"current_password": PASSWORD}));
        let erase = desk.call(Method::DELETE, "/v1/users/me", Some(&access), body);
        let refused = asked_while(&desk, erase, &format!("UPDATE users SET {change}")).await.expect(403);
        assert_eq!(refused.code(), "current_password_wrong", "{change}");
        assert_eq!(desk.text("SELECT email FROM users").await, ADA);
        let hash = bcrypt::hash(PASSWORD, 4).unwrap();
        desk.run(&format!("UPDATE users SET is_active = true, hashed_password = '{hash}'")).await;
    }
}

#[tokio::test]
async fn a_session_that_has_ended_proves_nothing_even_where_nobody_has_heard_of_it() {
    let desk = Desk::open_without_jobs(|_| {}).await;
    let access = desk.admin(ADA).await;
    let step_up = async || {
        let body = Some(json!({"current_password": PASSWORD}));
        desk.call(Method::POST, "/v1/tokens/step-up", Some(&access), body).await
    };
    step_up().await.expect(200);
    desk.run("UPDATE sessions SET ended_at = now(), end_reason = 'logout'").await;
    step_up().await.expect(401);
}
