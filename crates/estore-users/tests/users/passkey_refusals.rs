//! Passkeys that are not taken: one thing is wrong with each.

use axum::body::Body;
use axum::http::{Method, Request, header};
use estore_kit::request::ClientAddress;
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, IS_BACKED_UP, MAY_BE_BACKED_UP, PRESENT, VERIFIED};
use crate::desk::{Answer, Desk, PASSWORD};
use crate::passkey_challenges::LATE;
use crate::passkeys::{ADA, PASSKEYS, STEP_UP, changes, creation, enrolled, log_in, post, request};

const BOB: &str = "bob@example.com";

pub(crate) async fn show(desk: &Desk, passkey: &Value) -> Answer {
    desk.post("/v1/tokens/passkey", json!({"passkey": passkey})).await
}

pub(crate) fn refused(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn what_another_page_or_device_made_is_not_taken() {
    let desk = Desk::open().await;
    let (_, mut device, _) = enrolled(&desk, ADA, false).await;
    let mut shown = async |change: &dyn Fn(&mut Authenticator), back: &dyn Fn(&mut Authenticator)| {
        change(&mut device);
        let answer = log_in(&desk, &mut device).await;
        back(&mut device);
        answer
    };
    let origin = |of: &'static str| move |device: &mut Authenticator| of.clone_into(&mut device.origin);
    let rp_id = |of: &'static str| move |device: &mut Authenticator| of.clone_into(&mut device.rp_id);
    let flags = |of: u8| move |device: &mut Authenticator| device.flags = of;
    let invalid = |answer: &Answer, why: &str| {
        assert_eq!(refused(answer), (400, "passkey_invalid".to_owned()));
        assert!(answer.text.contains(why), "{}", answer.text);
    };
    for elsewhere in [
        "https://localhost:8080",
        "http://localhost",
        "http://localhost:80801",
        "http://localhost:8080.evil.example",
        "https://evil.example",
    ] {
        invalid(&shown(&origin(elsewhere), &origin("http://localhost:8080")).await, "users.passkeys.origins");
    }
    invalid(&shown(&rp_id("evil.example"), &rp_id("localhost")).await, "users.passkeys.rp_id");
    invalid(&shown(&flags(VERIFIED), &flags(PRESENT | VERIFIED)).await, "touched");
    invalid(&shown(&flags(PRESENT), &flags(PRESENT | VERIFIED)).await, "did not check who uses it");
    let backed_up = PRESENT | VERIFIED | IS_BACKED_UP;
    invalid(&shown(&flags(backed_up), &flags(PRESENT | VERIFIED)).await, "backed up and cannot be");
    // It was made as one that stays on its device.
    let kind = shown(&flags(PRESENT | VERIFIED | MAY_BE_BACKED_UP), &flags(PRESENT | VERIFIED)).await;
    assert_eq!(refused(&kind), (401, "passkey_refused".to_owned()));
    shown(&|_| {}, &|_| {}).await.expect(200);
}

#[tokio::test]
async fn another_accounts_passkey_and_a_bad_signature_are_not_taken() {
    let desk = Desk::open().await;
    let (ada, mut device, _) = enrolled(&desk, ADA, true).await;
    let (_, mut bobs, _) = enrolled(&desk, BOB, true).await;
    let none = (401, "passkey_refused".to_owned());
    let mut answer = device.get(&request(&desk, false).await);
    answer["response"]["userHandle"] = bobs.get(&request(&desk, false).await)["response"]["userHandle"].clone();
    assert_eq!(refused(&show(&desk, &answer).await), none, "somebody else's handle");
    let mut answer = device.get(&request(&desk, false).await);
    answer["response"].as_object_mut().unwrap().remove("userHandle");
    assert_eq!(refused(&show(&desk, &answer).await), none, "no handle where nobody has said who it is");
    let mut answer = device.get(&request(&desk, false).await);
    answer["response"]["signature"] = device.get(&request(&desk, false).await)["response"]["signature"].clone();
    assert_eq!(refused(&show(&desk, &answer).await), none, "a signature of something else");
    let mut answer = device.get(&request(&desk, false).await);
    answer["id"] = bobs.get(&request(&desk, false).await)["id"].clone();
    assert_eq!(refused(&show(&desk, &answer).await), none, "somebody else's key");
    let unknown = log_in(&desk, &mut Authenticator { user_handle: vec![7; 32], ..Authenticator::new() }).await;
    assert_eq!(refused(&unknown), none);

    let passkey = bobs.get(&request(&desk, true).await);
    let body = json!({"email": ADA, "password": PASSWORD, "passkey": passkey});
    assert_eq!(refused(&desk.post("/v1/tokens", body).await), none);
    let options = desk.call(Method::POST, "/v1/tokens/step-up/begin", Some(&ada), None).await.expect(200).json();
    let refusal = post(&desk, STEP_UP, &ada, json!({"passkey": bobs.get(&options)})).await;
    assert_eq!(refused(&refusal), (403, "passkey_refused".to_owned()));
    // Nothing of it harms the owner.
    log_in(&desk, &mut device).await.expect(200);
    desk.run("UPDATE users SET is_active = false WHERE email = 'ada@example.com'").await;
    assert_eq!(refused(&log_in(&desk, &mut device).await), none, "an account that is not active");
}

#[tokio::test]
async fn a_counter_that_goes_backwards_ends_the_passkey_and_is_told() {
    let desk = Desk::open().await;
    let (access, mut device, _) = enrolled(&desk, ADA, true).await;
    log_in(&desk, &mut device).await.expect(200);
    let (mut copy, mut device) = device.copied();
    log_in(&desk, &mut device).await.expect(200);
    assert_eq!(refused(&log_in(&desk, &mut copy).await), (401, "passkey_refused".to_owned()));
    desk.letter(ADA, "passkey_suspected").await;
    assert_eq!(log_in(&desk, &mut device).await.status, 401, "nobody knows which is the copy");
    assert!(desk.get(PASSKEYS, &access).await.expect(200).json()["data"][0]["suspected_at"].is_string());
    assert_eq!(changes(&desk, "passkeys").await.iter().filter(|(what, _)| what == "update").count(), 1);
    // It is still asked for: whoever has a copy cannot switch the second step off by it.
    let password = json!({"email": ADA, "password": PASSWORD});
    assert_eq!(desk.post("/v1/tokens", password).await.expect(403).code(), "passkey_required");
    assert_eq!(desk.letters(ADA, "passkey_suspected").len(), 1);

    // Nor does one do that counted and says that it never did.
    let (_, mut mute, _) = enrolled(&desk, "carol@example.com", false).await;
    log_in(&desk, &mut mute).await.expect(200);
    (mute.count, mute.counts) = (0, false);
    assert_eq!(refused(&log_in(&desk, &mut mute).await), (401, "passkey_refused".to_owned()));
    desk.letter("carol@example.com", "passkey_suspected").await;

    // Those that are on several devices do not count, and are good.
    let (_, mut synced, _) = enrolled(&desk, BOB, false).await;
    synced.counts = false;
    for _ in 0..3 {
        log_in(&desk, &mut synced).await.expect(200);
    }
}

#[tokio::test]
async fn a_registration_is_of_its_account_session_and_shop() {
    let desk = Desk::open().await;
    for email in [ADA, BOB] {
        desk.customer(email).await;
    }
    let (ada, bob) = (desk.log_in(ADA, PASSWORD).await.0, desk.log_in(BOB, PASSWORD).await.0);
    let (again, _) = desk.log_in(ADA, PASSWORD).await;
    let options = creation(&desk, &ada).await;
    let wish = |credential: &Value| json!({"name": "x", "credential": credential});
    let made = wish(&Authenticator::new().create(&options));
    for other in [&bob, &again] {
        assert_eq!(post(&desk, PASSKEYS, other, made.clone()).await.expect(400).code(), "passkey_challenge_invalid");
    }
    post(&desk, PASSKEYS, &ada, made.clone()).await.expect(201);
    assert_eq!(post(&desk, PASSKEYS, &ada, made).await.expect(400).code(), "passkey_challenge_invalid");
    for mut device in [
        Authenticator { origin: "https://evil.example".into(), ..Authenticator::new() },
        Authenticator { rp_id: "evil.example".into(), ..Authenticator::new() },
        Authenticator { flags: 0, ..Authenticator::new() },
    ] {
        let made = wish(&device.create(&creation(&desk, &ada).await));
        assert_eq!(post(&desk, PASSKEYS, &ada, made).await.expect(400).code(), "passkey_invalid");
    }
    // Nor does what was asked too long ago, or for something else.
    let none = "passkey_challenge_invalid";
    let late = wish(&Authenticator::new().create(&creation(&desk, &ada).await));
    desk.run(LATE).await;
    assert_eq!(post(&desk, PASSKEYS, &ada, late).await.expect(400).code(), none);
    let mut other = creation(&desk, &ada).await;
    let options = desk.call(Method::POST, "/v1/tokens/step-up/begin", Some(&ada), None).await.expect(200).json();
    other["challenge"] = options["challenge"].clone();
    let swapped = wish(&Authenticator::new().create(&other));
    assert_eq!(post(&desk, PASSKEYS, &ada, swapped).await.expect(400).code(), none);
    // What an authenticator answers to a log-in makes no passkey.
    let mut device = Authenticator::new();
    let options = creation(&desk, &ada).await;
    device.create(&options);
    let mut swapped = device.create(&options);
    swapped["response"]["clientDataJSON"] = device.get(&options)["response"]["clientDataJSON"].clone();
    assert_eq!(post(&desk, PASSKEYS, &ada, wish(&swapped)).await.expect(400).code(), "passkey_invalid");
    let good = device.create(&options);
    for (pointer, path, value) in [
        ("/credential/id", "/id", json!("AAAA")),
        ("/credential/type", "/type", json!("password")),
        ("/credential/id", "/id", json!("not base64url!")),
        ("/credential/response/transports", "/response/transports", json!(vec!["usb"; 9])),
        ("/credential/response/clientDataJSON", "/response/clientDataJSON", json!("A".repeat(12_000))),
    ] {
        let mut credential = good.clone();
        *credential.pointer_mut(path).unwrap() = value;
        let refused = post(&desk, PASSKEYS, &ada, wish(&credential)).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
}

#[tokio::test]
async fn a_shop_without_a_name_takes_no_passkeys_and_a_wrong_one_does_not_start() {
    let desk = Desk::open_with(|config| config.public_url = "https://192.0.2.7".into()).await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    for path in ["/v1/users/me/passkeys/begin", "/v1/tokens/step-up/begin"] {
        let off = desk.call(Method::POST, path, Some(&access), None).await.expect(409);
        assert!(off.code() == "passkeys_off" && off.text.contains("users.passkeys.rp_id"), "{}", off.text);
    }
    assert_eq!(desk.post("/v1/tokens/passkey/begin", json!({})).await.expect(409).code(), "passkeys_off");
    let folder = tempfile::tempdir().unwrap();
    let mut config = crate::desk::config(folder.path());
    config.passkeys.rp_id = "https://shop.example".into();
    let error = estore_users::Users::start(desk.db.clone(), config).await.unwrap_err().to_string();
    assert!(error.starts_with("users.passkeys.rp_id: \"https://shop.example\" is no domain"), "{error}");
}

#[tokio::test]
async fn an_address_that_shows_bad_passkeys_waits_and_a_good_one_never_does() {
    const ELSEWHERE: &str = "198.51.100.1";
    let desk = Desk::open().await;
    let (_, mut device, _) = enrolled(&desk, ADA, false).await;
    let from = async |passkey: Value| {
        let request = Request::post("/v1/tokens/passkey")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(ClientAddress(ELSEWHERE.parse().unwrap()));
        desk.send(request.body(Body::from(json!({"passkey": passkey}).to_string())).unwrap()).await
    };
    let mut stranger = Authenticator { user_handle: vec![7; 32], ..Authenticator::new() };
    from(stranger.get(&request(&desk, false).await)).await.expect(401);
    assert_eq!(desk.number("SELECT count(*) FROM log_in_failures").await, 1, "no account waits for strangers");
    desk.run("UPDATE log_in_failures SET failures = 50, last_at = now()").await;
    let waits = from(stranger.get(&request(&desk, false).await)).await.expect(429);
    assert!(waits.code() == "log_in_delayed" && waits.headers.contains_key(header::RETRY_AFTER));
    from(device.get(&request(&desk, false).await)).await.expect(200);
}
