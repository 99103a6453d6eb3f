//! Accounts whose address nobody has proved: they log in where the shop says so, and elsewhere nobody learns of them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::desk::{Answer, Desk, PASSWORD, token_of, tokens};
use crate::passkeys;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const STRANGERS: &str = "kartoffel-turm-77";
const OWNERS: &str = "lantern-marsh-5";
const RESEND: &str = "/v1/users/verify/resend";
const UNPROVED: &str = "UPDATE users SET is_verified = false";
const PROVED: &str = "UPDATE users SET is_verified = true";
/// Each failure is as if it were of this moment, however slow the machine is.
const AT_ONCE: &str = "UPDATE log_in_failures SET last_at = now() + interval '10 minutes'";
const MANY: &str = "UPDATE log_in_failures SET failures = 15, last_at = now() + interval '10 minutes'";
/// Letters are limited to one a minute.
const A_MINUTE: &str = "UPDATE mails SET created_at = created_at - interval '2 minutes'";

/// All that an answer tells but the id of its request.
fn told(answer: &Answer) -> String {
    let id = answer.headers["x-request-id"].to_str().unwrap();
    let mut headers: Vec<_> = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    format!("{} {headers:#?} {}", answer.status, answer.text).replace(id, "…")
}

#[track_caller]
fn assert_alike(answers: &[Answer], status: u16) {
    assert_eq!(answers[0].status.as_u16(), status, "{}", answers[0].text);
    for answer in &answers[1..] {
        assert_eq!(told(answer), told(&answers[0]));
    }
}

/// What one sends for each of the addresses, in turn.
async fn each(desk: &Desk, path: &str, addresses: &[&str], body: impl Fn(&str) -> Value) -> Vec<Answer> {
    let mut answers = Vec::new();
    for email in addresses {
        answers.push(desk.post(path, body(email)).await);
    }
    answers
}

async fn log_in(desk: &Desk, email: &str, password: &str) -> Answer {
    desk.post("/v1/tokens", json!({"email": email, "password": password})).await
}

#[track_caller]
fn refused(answer: Answer) {
    let answer = answer.expect(401);
    assert_eq!(answer.code(), "invalid_credentials");
    assert!(answer.text.contains("not been confirmed yet by the letter"), "{}", answer.text);
}

#[tokio::test]
async fn who_registers_an_address_and_logs_in_does_not_learn_whether_it_was_free() {
    let desk = Desk::open().await;
    let addresses = ["taken@example.com", "free@example.com", "waiting@example.com", "closed@example.com"];
    for email in [addresses[0], addresses[3]] {
        desk.customer(email).await;
    }
    desk.log_in(addresses[0], PASSWORD).await;
    desk.register(addresses[2], OWNERS).await;
    desk.run("UPDATE users SET is_active = false WHERE email LIKE 'closed%'").await;
    desk.all_mail_left().await;
    desk.run(A_MINUTE).await;
    assert_alike(
        &each(&desk, "/v1/users", &addresses, |email| json!({"email": email, "password": STRANGERS})).await,
        202,
    );

    // Whatever comes with the password, and until nobody's password is looked at any more.
    let beside = [
        json!({}),
        json!({"new_password": OWNERS}),
        json!({"totp": "287082"}),
        json!({"recovery_code": "MFRG-GZDF-MZTW-Q2LK"}),
        json!({}),
        json!({}),
    ];
    let attempt = |email: &str, beside: &Value| {
        let mut body = json!({"email": email, "password": STRANGERS});
        body.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        body
    };
    for beside in &beside {
        assert_alike(&each(&desk, "/v1/tokens", &addresses, |email| attempt(email, beside)).await, 401);
        desk.run(AT_ONCE).await;
    }
    assert_alike(&each(&desk, "/v1/tokens", &addresses, |email| attempt(email, &beside[0])).await, 429);
    desk.run(MANY).await;
    let waiting = each(&desk, "/v1/tokens", &addresses, |email| attempt(email, &beside[0])).await;
    assert_eq!(waiting[0].headers["retry-after"], "512");
    assert_alike(&waiting, 429);
    for path in [RESEND, "/v1/password-resets"] {
        assert_alike(&each(&desk, path, &addresses, |email| json!({"email": email})).await, 202);
    }
    assert_eq!(desk.number("SELECT count(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn where_the_shop_says_so_they_log_in_before_the_letter() {
    let desk = Desk::open_to_unverified().await;
    desk.register(ADA, PASSWORD).await;
    let (access, refresh) = desk.log_in(ADA, PASSWORD).await;
    let me = desk.get("/v1/users/me", &access).await.expect(200).json();
    assert_eq!((&me["email"], &me["is_verified"]), (&json!(ADA), &json!(false)));
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200);
    let step_up = json!({"current_password": PASSWORD});
    desk.call(Method::POST, "/v1/tokens/step-up", Some(&access), Some(step_up)).await.expect(200);
    // Nothing is said of letters where they do not matter.
    let wrong = log_in(&desk, ADA, STRANGERS).await.expect(401);
    assert_eq!(wrong.json()["detail"], "The address or the password is wrong.");
}

#[tokio::test]
async fn a_session_from_before_waits_for_the_proof() {
    let before = Desk::open_to_unverified().await;
    before.register(ADA, PASSWORD).await;
    let (access, refresh) = before.log_in(ADA, PASSWORD).await;
    let now = before.another().await;
    let refresh = json!({"refresh_token": refresh});
    for _ in 0..2 {
        assert_eq!(now.post("/v1/tokens/refresh", refresh.clone()).await.expect(401).code(), "refresh_token_invalid");
    }
    let proof = json!({"current_password": PASSWORD});
    let change = json!({"current_password": PASSWORD, "password": OWNERS});
    for (method, path, body) in [
        (Method::POST, "/v1/tokens/step-up", &proof),
        (Method::POST, "/v1/users/me/totp", &proof),
        (Method::DELETE, "/v1/users/me/totp", &proof),
        (Method::PATCH, "/v1/users/me", &change),
        (Method::DELETE, "/v1/users/me", &proof),
    ] {
        let answer = now.call(method, path, Some(&access), Some(body.clone())).await.expect(403);
        assert_eq!(answer.code(), "email_not_verified", "{path}");
    }
    // What was refused used nothing up: the proof is all that is missing.
    let token = before.mailed_token(ADA, "verification").await;
    now.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    let (access, _) = tokens(&now.post("/v1/tokens/refresh", refresh).await.expect(200));
    now.call(Method::POST, "/v1/tokens/step-up", Some(&access), Some(proof)).await.expect(200);
}

#[tokio::test]
async fn no_passkey_and_no_second_step_comes_before_the_proof() {
    let desk = Desk::open().await;
    let (access, mut device, _) = passkeys::enrolled(&desk, ADA, false).await;
    let mut beside = Authenticator::new();
    passkeys::add(&desk, &access, &mut beside, true).await;
    assert_eq!(log_in(&desk, ADA, PASSWORD).await.expect(403).code(), "passkey_required");
    let step_up = passkeys::proof(&desk, &access, &mut device).await;
    desk.run(UNPROVED).await;
    refused(log_in(&desk, ADA, PASSWORD).await);
    let passkey = beside.get(&passkeys::request(&desk, true).await);
    let both = json!({"email": ADA, "password": PASSWORD, "passkey": passkey});
    refused(desk.post("/v1/tokens", both).await);
    let alone = passkeys::log_in(&desk, &mut device).await.expect(401);
    let mut unknown = Authenticator { user_handle: device.user_handle.clone(), ..Authenticator::new() };
    let unknown = passkeys::log_in(&desk, &mut unknown).await.expect(401);
    assert_eq!(told(&alone), told(&unknown));
    assert_eq!(alone.code(), "passkey_refused");
    passkeys::post(&desk, passkeys::STEP_UP, &access, json!({"passkey": step_up})).await.expect(403);
    desk.run(PROVED).await;
    passkeys::log_in(&desk, &mut device).await.expect(200);
}

#[tokio::test]
async fn a_one_time_password_does_for_a_proved_address_alone() {
    let desk = Desk::open().await;
    desk.users.create_admin_once(ADA, PASSWORD).await.unwrap();
    let with_new = json!({"email": ADA, "password": PASSWORD, "new_password": OWNERS});
    desk.run(UNPROVED).await;
    refused(log_in(&desk, ADA, PASSWORD).await);
    refused(desk.post("/v1/tokens", with_new.clone()).await);
    // The first administrator's is one, since whoever runs the shop has made it.
    desk.run(PROVED).await;
    assert_eq!(log_in(&desk, ADA, PASSWORD).await.expect(403).code(), "password_change_required");
    desk.post("/v1/tokens", with_new).await.expect(200);
}

#[tokio::test]
async fn imported_customers_prove_their_address_unless_the_file_says_that_it_is() {
    let desk = Desk::open().await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let text = format!("email,hashed_password,is_verified\n{ADA},{hash},true\n{BOB},{hash},\nc@b.co,{hash},no\n");
    let report = desk.users.import_customers(std::io::Cursor::new(text), |_| {}).await.unwrap();
    assert_eq!((report.made, report.unverified), (3, 2));
    desk.log_in(ADA, PASSWORD).await;
    for email in [BOB, "c@b.co"] {
        refused(log_in(&desk, email, PASSWORD).await);
    }
    let kept = "SELECT count(*) FROM users WHERE hashed_password LIKE '$2b$%'";
    assert_eq!(desk.number(kept).await, 2, "a refused password is not hashed anew");
    desk.post(RESEND, json!({"email": BOB})).await.expect(202);
    let token = desk.mailed_token(BOB, "verification").await;
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    desk.log_in(BOB, PASSWORD).await;
    desk.post("/v1/password-resets", json!({"email": "c@b.co"})).await.expect(202);
    let token = desk.mailed_token("c@b.co", "password_reset").await;
    desk.post("/v1/password-resets/confirm", json!({"token": token, "new_password": OWNERS})).await.expect(200);
    desk.log_in("c@b.co", OWNERS).await;
}

#[tokio::test]
async fn who_lost_the_letter_asks_again_and_need_not_wait_for_what_they_tried() {
    let desk = Desk::open().await;
    desk.register(ADA, PASSWORD).await;
    desk.letter(ADA, "verification").await;
    desk.run("DELETE FROM verification_tokens").await;
    refused(log_in(&desk, ADA, PASSWORD).await);
    desk.run(MANY).await;
    log_in(&desk, ADA, PASSWORD).await.expect(429);
    desk.run(A_MINUTE).await;
    desk.post(RESEND, json!({"email": ADA})).await.expect(202);
    let token = token_of(&desk.letter_after(ADA, "verification", 1).await);
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    desk.log_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn a_new_password_by_letter_proves_the_address() {
    let desk = Desk::open().await;
    desk.register(ADA, STRANGERS).await;
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    desk.post("/v1/password-resets/confirm", json!({"token": token, "new_password": OWNERS})).await.expect(200);
    refused(log_in(&desk, ADA, STRANGERS).await);
    desk.log_in(ADA, OWNERS).await;
}

#[tokio::test]
async fn a_change_of_address_takes_nobodys_proof_away() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let change = json!({"email": BOB, "current_password": PASSWORD});
    desk.patch("/v1/users/me", &access, change).await.expect(200);
    let token = desk.mailed_token(BOB, "email_change").await;
    let (_, refresh) = desk.log_in(ADA, PASSWORD).await;
    refused(log_in(&desk, BOB, PASSWORD).await);
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    desk.log_in(BOB, PASSWORD).await;
    refused(log_in(&desk, ADA, PASSWORD).await);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200);
}
