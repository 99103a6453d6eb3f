//! Passkeys: made, used in place of the password and beside it, removed.

use axum::http::Method;
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, PRESENT};
use crate::desk::{Answer, Desk, PASSWORD, tokens};

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const PASSKEYS: &str = "/v1/users/me/passkeys";
pub(crate) const STEP_UP: &str = "/v1/tokens/step-up";

pub(crate) async fn post(desk: &Desk, path: &str, access: &str, body: Value) -> Answer {
    desk.call(Method::POST, path, Some(access), Some(body)).await
}

/// What a browser gets to make a passkey.
pub(crate) async fn creation(desk: &Desk, access: &str) -> Value {
    desk.call(Method::POST, &format!("{PASSKEYS}/begin"), Some(access), None).await.expect(200).json()
}

/// What a browser gets to have one sign.
pub(crate) async fn request(desk: &Desk, beside_password: bool) -> Value {
    let body = json!({"beside_password": beside_password});
    desk.post("/v1/tokens/passkey/begin", body).await.expect(200).json()
}

/// Adds a passkey to the account of an access token.
pub(crate) async fn add(desk: &Desk, access: &str, device: &mut Authenticator, is_second_step: bool) -> Value {
    let credential = device.create(&creation(desk, access).await);
    let body = json!({"name": "blue phone", "is_second_step": is_second_step, "credential": credential});
    post(desk, PASSKEYS, access, body).await.expect(201).json()
}

/// A customer with a passkey: an access token, the device, and what was answered.
pub(crate) async fn enrolled(desk: &Desk, email: &str, is_second_step: bool) -> (String, Authenticator, Value) {
    desk.customer(email).await;
    let (access, _) = desk.log_in(email, PASSWORD).await;
    let mut device = Authenticator::new();
    let added = add(desk, &access, &mut device, is_second_step).await;
    (access, device, added)
}

/// Logs in by nothing but the passkey.
pub(crate) async fn log_in(desk: &Desk, device: &mut Authenticator) -> Answer {
    let passkey = device.get(&request(desk, false).await);
    desk.post("/v1/tokens/passkey", json!({"passkey": passkey})).await
}

/// The proof that the owner of a session is there.
pub(crate) async fn proof(desk: &Desk, access: &str, device: &mut Authenticator) -> Value {
    let options = desk.call(Method::POST, &format!("{STEP_UP}/begin"), Some(access), None).await.expect(200).json();
    device.get(&options)
}

/// Who the audit log says changed a table in requests, by operation.
pub(crate) async fn changes(desk: &Desk, table: &str) -> Vec<(String, Option<i32>)> {
    let sql = "SELECT operation, user_id FROM audit_log WHERE table_name = $1 AND request_id <> '' ORDER BY id";
    desk.db.rows(sql, &[&table]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_passkey_logs_in_without_a_name_at_any_process() {
    let desk = Desk::open().await;
    let (access, mut device, added) = enrolled(&desk, ADA, false).await;
    assert_eq!((&added["name"], &added["is_second_step"]), (&json!("blue phone"), &json!(false)));
    assert_eq!((&added["transports"], added.get("recovery_codes")), (&json!(["internal", "hybrid"]), None));
    desk.letter(ADA, "passkey_added").await;
    assert_eq!(changes(&desk, "passkeys").await, [("insert".to_owned(), Some(desk.id_of(ADA).await))]);

    // It begins at one process and ends at another.
    let another = desk.another().await;
    let options = request(&desk, false).await;
    assert_eq!((&options["rpId"], &options["userVerification"]), (&json!("localhost"), &json!("required")));
    assert_eq!((&options["allowCredentials"], &options["timeout"]), (&json!([]), &json!(300_000)));
    let passkey = device.get(&options);
    let begun = another.post("/v1/tokens/passkey", json!({"passkey": passkey})).await.expect(200);
    assert_eq!(begun.headers["cache-control"], "no-store");
    let (by_passkey, refresh) = tokens(&begun);
    assert_eq!(desk.get("/v1/users/me", &by_passkey).await.expect(200).json()["email"], ADA);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200);
    // It is as good as any log-in, also for what takes a recent one.
    creation(&another, &by_passkey).await;
    // The password alone does as before.
    desk.log_in(ADA, PASSWORD).await;

    let listed = desk.get(PASSKEYS, &access).await.expect(200).json();
    assert!(listed["data"][0]["last_used_at"].is_string() && listed["next_cursor"].is_null(), "{listed}");
    let exported = desk.get("/v1/users/me/export", &access).await.expect(200).json();
    assert_eq!(exported["passkeys"], listed["data"]);
    // A use is no change.
    assert_eq!(changes(&desk, "passkeys").await.len(), 1);
}

#[tokio::test]
async fn what_is_answered_fits_browsers_and_names_nobody() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let options = creation(&desk, &access).await;
    assert_eq!(options["rp"], json!({"id": "localhost", "name": "EStore"}));
    assert_eq!((&options["user"]["name"], &options["attestation"]), (&json!(ADA), &json!("none")));
    let algorithms: Vec<_> = options["pubKeyCredParams"].as_array().unwrap().iter().map(|one| &one["alg"]).collect();
    assert_eq!(algorithms, [&json!(-8), &json!(-7), &json!(-257)]);
    let selection = json!({"residentKey": "required", "requireResidentKey": true, "userVerification": "preferred"});
    assert_eq!((&options["authenticatorSelection"], &options["excludeCredentials"]), (&selection, &json!([])));
    // An authenticator that says what it is is taken as well.
    let mut device = Authenticator { format: "packed", ..Authenticator::new() };
    add(&desk, &access, &mut device, false).await;
    let again = creation(&desk, &access).await;
    let mut other = Authenticator::new();
    other.create(&again);
    assert_eq!(
        (device.user_handle.len(), &device.user_handle),
        (32, &other.user_handle),
        "one account is one to its devices"
    );
    assert_eq!(again["excludeCredentials"][0]["transports"], json!(["internal", "hybrid"]));
    let known = json!({"name": "x", "credential": device.create(&again)});
    assert_eq!(post(&desk, PASSKEYS, &access, known).await.expect(409).code(), "passkey_known");
    log_in(&desk, &mut device).await.expect(200);
}

#[tokio::test]
async fn beside_the_password_it_is_the_second_step() {
    let desk = Desk::open().await;
    let (access, mut device, added) = enrolled(&desk, ADA, true).await;
    let codes = added["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    let password = json!({"email": ADA, "password": PASSWORD});
    let needed = desk.post("/v1/tokens", password.clone()).await.expect(403);
    assert_eq!(
        (needed.code().as_str(), &needed.json()["errors"][0]["pointer"]),
        ("passkey_required", &json!("/passkey"))
    );
    // Who does not know the password learns nothing of it, whatever else comes.
    let passkey = device.get(&request(&desk, true).await);
    let wrong = json!({"email": ADA, "password": "wrong-one-42", "passkey": passkey});
    assert_eq!(desk.post("/v1/tokens", wrong).await.expect(401).code(), "invalid_credentials");

    let with = |passkey: &Value| json!({"email": ADA, "password": PASSWORD, "passkey": passkey});
    // A touch does here: the password says who it is.
    device.flags = PRESENT;
    let passkey = device.get(&request(&desk, true).await);
    desk.post("/v1/tokens", with(&passkey)).await.expect(200);
    let replayed = desk.post("/v1/tokens", with(&passkey)).await.expect(400);
    assert_eq!(replayed.code(), "passkey_challenge_invalid");
    let totp = json!({"email": ADA, "password": PASSWORD, "totp": "123456"});
    assert_eq!(desk.post("/v1/tokens", totp).await.expect(401).code(), "second_factor_wrong");
    let code = json!({"email": ADA, "password": PASSWORD, "recovery_code": codes[0]});
    let (by_code, _) = tokens(&desk.post("/v1/tokens", code).await.expect(200));
    assert_eq!(desk.get("/v1/users/me/totp", &by_code).await.expect(200).json()["recovery_codes_left"], 9);

    // A second one brings no codes, and the last one that goes takes them away.
    let mut other = Authenticator::new();
    assert_eq!(add(&desk, &access, &mut other, true).await.get("recovery_codes"), None);
    for (left, codes) in [(1, 9), (0, 0)] {
        let listed = desk.get(PASSKEYS, &access).await.expect(200).json();
        let path = format!("{PASSKEYS}/{}", listed["data"][0]["id"].as_str().unwrap());
        desk.call(Method::DELETE, &path, Some(&access), None).await.expect(204);
        assert_eq!(desk.number("SELECT count(*) FROM recovery_codes").await, codes, "{left} left");
    }
    desk.log_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn it_proves_that_the_owner_is_there_in_place_of_the_password() {
    let desk = Desk::open().await;
    let (access, mut device, added) = enrolled(&desk, ADA, false).await;
    desk.run("UPDATE sessions SET authenticated_at = now() - interval '6 minutes'").await;
    let (_, refresh) = desk.log_in(ADA, PASSWORD).await;
    desk.run("UPDATE sessions SET authenticated_at = now() - interval '6 minutes'").await;
    let (old, _) = tokens(&desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200));
    let begin = format!("{PASSKEYS}/begin");
    let own = format!("{PASSKEYS}/{}", added["id"].as_str().unwrap());
    let renamed = Some(json!({"name": "x"}));
    for (method, path, body) in
        [(Method::POST, &begin, None), (Method::PATCH, &own, renamed), (Method::DELETE, &own, None)]
    {
        let stale = desk.call(method, path, Some(&old), body).await.expect(403);
        assert_eq!(stale.code(), "recent_log_in_required", "{path}");
    }
    let passkey = proof(&desk, &old, &mut device).await;
    // It was made for one session, and does in no other.
    let elsewhere = post(&desk, STEP_UP, &access, json!({"passkey": passkey})).await.expect(400);
    assert_eq!(elsewhere.code(), "passkey_challenge_invalid");
    let fresh = post(&desk, STEP_UP, &old, json!({"passkey": passkey})).await.expect(200).json();
    let fresh = fresh["access_token"].as_str().unwrap();
    desk.call(Method::POST, &begin, Some(fresh), None).await.expect(200);
    // Nothing at all does not do, and neither does a touch without the password.
    let refused = post(&desk, STEP_UP, &old, json!({})).await.expect(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/current_password");
    device.flags = PRESENT;
    let touched = json!({"passkey": proof(&desk, &old, &mut device).await});
    let refused = post(&desk, STEP_UP, &old, touched).await.expect(400);
    assert!(refused.text.contains("did not check who uses it"), "{}", refused.text);

    device.flags |= crate::authenticator::VERIFIED;
    let body = json!({"password": "lantern-marsh-5", "passkey": proof(&desk, fresh, &mut device).await});
    desk.patch("/v1/users/me", fresh, body).await.expect(200);
    let (access, _) = tokens(&log_in(&desk, &mut device).await.expect(200));
    let body = json!({"passkey": proof(&desk, &access, &mut device).await});
    desk.call(Method::DELETE, "/v1/users/me", Some(&access), Some(body)).await.expect(204);
    assert_eq!(desk.number("SELECT count(*) FROM passkeys").await, 0);
    log_in(&desk, &mut device).await.expect(401);
}

#[tokio::test]
async fn what_matters_takes_the_second_step_of_passkeys_too() {
    let desk = Desk::open().await;
    let (access, mut device, _) = enrolled(&desk, ADA, true).await;
    let bare = json!({"current_password": PASSWORD});
    for path in ["/v1/users/me/totp", "/v1/users/me/totp/recovery-codes", STEP_UP] {
        assert_eq!(post(&desk, path, &access, bare.clone()).await.expect(403).code(), "passkey_required", "{path}");
    }
    let change = json!({"current_password": PASSWORD, "password": "lantern-marsh-5"});
    assert_eq!(desk.patch("/v1/users/me", &access, change).await.expect(403).code(), "passkey_required");
    let both = json!({"current_password": PASSWORD, "passkey": proof(&desk, &access, &mut device).await});
    let renewed = post(&desk, "/v1/users/me/totp/recovery-codes", &access, both).await.expect(200).json();
    assert_eq!(renewed["recovery_codes"].as_array().unwrap().len(), 10);
    let both = json!({"current_password": "wrong-one-42", "passkey": proof(&desk, &access, &mut device).await});
    assert_eq!(post(&desk, STEP_UP, &access, both).await.expect(403).code(), "current_password_wrong");
    // A reset by mail gives a password, not the device.
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let reset = json!({"token": token, "new_password": "lantern-marsh-6"});
    desk.post("/v1/password-resets/confirm", reset).await.expect(200);
    let password = json!({"email": ADA, "password": "lantern-marsh-6"});
    assert_eq!(desk.post("/v1/tokens", password).await.expect(403).code(), "passkey_required");
    // Who lost it asks the shop.
    assert!(desk.users.forget_second_factor(ADA).await.unwrap());
    assert!(!desk.users.forget_second_factor(ADA).await.unwrap());
    desk.letter(ADA, "passkey_removed").await;
    desk.log_in(ADA, "lantern-marsh-6").await;
    log_in(&desk, &mut device).await.expect(401);
    assert_eq!(desk.number("SELECT count(*) FROM recovery_codes").await, 0);
}

#[tokio::test]
async fn passkeys_are_named_and_removed_by_their_owner_alone() {
    let desk = Desk::open().await;
    let (ada, mut device, added) = enrolled(&desk, ADA, false).await;
    let (bob, ..) = enrolled(&desk, "bob@example.com", false).await;
    let path = format!("{PASSKEYS}/{}", added["id"].as_str().unwrap());
    assert_eq!(desk.get(PASSKEYS, &bob).await.expect(200).json()["data"].as_array().unwrap().len(), 1);
    desk.patch(&path, &bob, json!({"name": "mine"})).await.expect(404);
    desk.call(Method::DELETE, &path, Some(&bob), None).await.expect(404);
    assert_eq!(desk.patch(&path, &ada, json!({"name": " phone 📱 "})).await.expect(200).json()["name"], "phone 📱");
    desk.patch(&path, &ada, json!({"name": " "})).await.expect(422);
    desk.patch(&path, &ada, json!({"name": "x".repeat(101)})).await.expect(422);
    desk.call(Method::DELETE, &path, Some(&ada), None).await.expect(204);
    desk.call(Method::DELETE, &path, Some(&ada), None).await.expect(404);
    desk.letter(ADA, "passkey_removed").await;
    let id = Some(desk.id_of(ADA).await);
    let of_ada: Vec<_> = changes(&desk, "passkeys").await.into_iter().filter(|(_, user)| *user == id).collect();
    assert_eq!(of_ada.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>(), ["insert", "update", "delete"]);
    let told = "SELECT count(*) FROM audit_log a WHERE table_name = 'passkeys' AND a::text ~ 'phone'";
    assert_eq!(desk.number(told).await, 0, "what people call it is theirs");
    assert_eq!(log_in(&desk, &mut device).await.expect(401).code(), "passkey_refused");
    // Twenty, and no more.
    desk.run(
        "INSERT INTO passkeys (id, user_id, name, credential_id, public_key, user_handle, sign_count, is_backup_eligible, is_backed_up)
         SELECT gen_random_uuid(), id, 'k', sha256(n::text::bytea), sha256('x'), sha256('h'), 0, false, false
         FROM users, generate_series(1, 20) AS n WHERE email = 'ada@example.com'",
    )
    .await;
    let body = json!({"name": "one more", "credential": Authenticator::new().create(&creation(&desk, &ada).await)});
    assert_eq!(post(&desk, PASSKEYS, &ada, body).await.expect(409).code(), "too_many_passkeys");
}
