//! Several people register one address, and one of them reads its mail.

use axum::http::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, PASSWORD, token_of};

const ADA: &str = "ada@example.com";
const STRANGERS: &str = "kartoffel-turm-77";
const OWNERS: &str = "lantern-marsh-5";
/// Letters are limited to one a minute.
const A_MINUTE: &str = "UPDATE mails SET created_at = created_at - interval '2 minutes'";

async fn register(desk: &Desk, password: &str) -> String {
    let before = desk.letters(ADA, "verification").len();
    let answer = desk.post("/v1/users", json!({"email": ADA, "password": password})).await.expect(202);
    assert_eq!(answer.json(), json!({"status": "verification_sent"}));
    let letter = desk.letter_after(ADA, "verification", before).await;
    desk.run(A_MINUTE).await;
    token_of(&letter)
}

async fn log_in(desk: &Desk, password: &str) -> u16 {
    desk.post("/v1/tokens", json!({"email": ADA, "password": password})).await.status.as_u16()
}

#[tokio::test]
async fn who_registered_somebody_elses_address_has_nothing_when_its_owner_proves_it() {
    let desk = Desk::open_to_unverified().await;
    let strangers = register(&desk, STRANGERS).await;
    let (access, refresh) = desk.log_in(ADA, STRANGERS).await;
    // A stranger leaves no key of their own there.
    let totp = json!({"current_password": STRANGERS});
    let refused = desk.call(Method::POST, "/v1/users/me/totp", Some(&access), Some(totp)).await.expect(403);
    assert_eq!(refused.code(), "email_not_verified");
    let refused = desk.call(Method::POST, "/v1/users/me/passkeys/begin", Some(&access), None).await.expect(403);
    assert_eq!(refused.code(), "email_not_verified");
    let change = json!({"email": "stranger@example.com", "current_password": STRANGERS});
    desk.patch("/v1/users/me", &access, change).await.expect(200);
    let change = desk.mailed_token("stranger@example.com", "email_change").await;

    let owners = register(&desk, OWNERS).await;
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    assert_eq!(log_in(&desk, STRANGERS).await, 401);
    desk.log_in(ADA, OWNERS).await;
    // Whoever registers last before the proof has not won either: the letter that is followed counts.
    let again = register(&desk, STRANGERS).await;
    let (_, refresh) = desk.log_in(ADA, STRANGERS).await;
    desk.post("/v1/users/verify", json!({"token": owners})).await.expect(200);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    assert_eq!((log_in(&desk, STRANGERS).await, log_in(&desk, OWNERS).await), (401, 200));
    for late in [strangers, again, change] {
        desk.post("/v1/users/verify", json!({"token": late})).await.expect(400);
    }
    assert_eq!((log_in(&desk, STRANGERS).await, log_in(&desk, OWNERS).await), (401, 200));
    assert_eq!(desk.number("SELECT count(*) FROM verification_tokens").await, 0);
}

#[tokio::test]
async fn who_asks_for_the_letter_again_chooses_a_password_where_several_registered() {
    let desk = Desk::open().await;
    register(&desk, STRANGERS).await;
    desk.post("/v1/users/verify/resend", json!({"email": ADA})).await.expect(202);
    desk.all_mail_left().await;
    assert_eq!(desk.letters(ADA, "verification").len(), 2, "one registered: the letter as it was");
    desk.run(A_MINUTE).await;
    register(&desk, OWNERS).await;
    register(&desk, STRANGERS).await;
    let again = desk.post("/v1/users/verify/resend", json!({"email": ADA})).await.expect(202);
    assert_eq!(again.json(), json!({"status": "verification_sent"}));
    let token = desk.mailed_token(ADA, "password_reset").await;
    let reset = json!({"token": token, "new_password": "lantern-marsh-6"});
    desk.post("/v1/password-resets/confirm", reset).await.expect(200);
    assert_eq!((log_in(&desk, STRANGERS).await, log_in(&desk, "lantern-marsh-6").await), (401, 200));
    let (access, _) = desk.log_in(ADA, "lantern-marsh-6").await;
    assert_eq!(desk.get("/v1/users/me", &access).await.expect(200).json()["is_verified"], true);
    assert_eq!(desk.number("SELECT count(*) FROM verification_tokens").await, 0);
}

#[tokio::test]
async fn a_letter_confirms_the_password_that_its_owner_has_chosen_since() {
    let desk = Desk::open_to_unverified().await;
    let token = register(&desk, PASSWORD).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let change = json!({"current_password": PASSWORD, "password": OWNERS});
    desk.patch("/v1/users/me", &access, change).await.expect(200);
    let (_, refresh) = desk.log_in(ADA, OWNERS).await;
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    assert_eq!((log_in(&desk, PASSWORD).await, log_in(&desk, OWNERS).await), (401, 200));
    let answer: Value = desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200).json();
    assert!(answer["access_token"].is_string(), "whoever proves their own registration stays logged in");
}

#[tokio::test]
async fn a_change_of_address_that_somebody_asked_for_ends_with_a_new_password() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let change = json!({"email": "stranger@example.com", "current_password": PASSWORD});
    desk.patch("/v1/users/me", &access, change).await.expect(200);
    let change = desk.mailed_token("stranger@example.com", "email_change").await;
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let reset = json!({"token": token, "new_password": OWNERS});
    desk.post("/v1/password-resets/confirm", reset).await.expect(200);
    desk.post("/v1/users/verify", json!({"token": change})).await.expect(400);
    assert_eq!(log_in(&desk, OWNERS).await, 200);
}

#[tokio::test]
async fn who_registers_the_address_of_one_of_the_staff_has_nothing() {
    let desk = Desk::open_to_unverified().await;
    let text = format!("email,password\n{ADA},{OWNERS}\nbob@example.com,{OWNERS}\n");
    desk.users.import_customers(std::io::Cursor::new(text), |_| {}).await.unwrap();
    // As they may be from before roles asked for a proved address.
    desk.run(&format!("UPDATE users SET is_admin = true WHERE email = '{ADA}'")).await;
    desk.run("INSERT INTO user_roles (user_id, role) SELECT id, 'refunds' FROM users WHERE NOT is_admin").await;
    for email in [ADA, "bob@example.com"] {
        desk.register(email, STRANGERS).await;
        assert!(desk.letter(email, "already_registered").await.contains("you have one already"));
        let log_in = |password: &str| desk.post("/v1/tokens", json!({"email": email, "password": password}));
        log_in(STRANGERS).await.expect(401);
        log_in(OWNERS).await.expect(200);
    }
}
