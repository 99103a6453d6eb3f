//! Challenges for passkeys: each does once, in time and for what it was made for, and a flood of them hinders nobody.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::authenticator::Authenticator;
use crate::desk::Desk;
use crate::passkey_refusals::{refused, show};
use crate::passkeys::{ADA, STEP_UP, add, creation, enrolled, post, proof, request};

/// Challenges of sessions are over.
pub(crate) const LATE: &str =
    "UPDATE passkey_challenges SET created_at = now() - interval '1 hour', expires_at = now() - interval '1 second'";

/// A challenge of the shop's for whoever is not logged in that is over in so many seconds, made on its own.
fn challenge(desk: &Desk, purpose: &str, seconds: i64) -> String {
    let pem = std::fs::read_to_string(desk.folder.path().join("secrets/key.pem")).unwrap();
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let key = sign(&STANDARD.decode(text).unwrap(), b"estore: challenges of passkeys");
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let said = [[7; 32].as_slice(), &(now + seconds).to_be_bytes()].concat();
    let tag = sign(key.as_ref(), &[purpose.as_bytes(), &said].concat());
    URL_SAFE_NO_PAD.encode([said.as_slice(), tag.as_ref()].concat())
}

#[tokio::test]
async fn a_challenge_does_once_in_time_and_for_its_purpose() {
    let desk = Desk::open().await;
    let (access, mut device, _) = enrolled(&desk, ADA, false).await;
    let none = (400, "passkey_challenge_invalid".to_owned());
    let options = request(&desk, false).await;
    let first = device.get(&options);
    show(&desk, &first).await.expect(200);
    assert_eq!(refused(&show(&desk, &first).await), none, "replayed");
    let second = device.get(&options);
    assert_eq!(refused(&show(&desk, &second).await), none, "signed anew for a used challenge");
    let mut made_up = options.clone();
    made_up["challenge"] = json!("A".repeat(43));
    assert_eq!(refused(&show(&desk, &device.get(&made_up)).await), none, "made up");

    let until = |seconds: i64, purpose| {
        let mut options = options.clone();
        options["challenge"] = json!(challenge(&desk, purpose, seconds));
        options
    };
    assert_eq!(refused(&show(&desk, &device.get(&until(-1, "log_in"))).await), none, "too late");
    assert_eq!(refused(&show(&desk, &device.get(&until(60, "second_step"))).await), none, "for something else");
    show(&desk, &device.get(&until(60, "log_in"))).await.expect(200);
    let late = proof(&desk, &access, &mut device).await;
    let of_sessions = "SELECT count(*) FROM passkey_challenges WHERE session_id IS NOT NULL AND expires_at";
    assert_eq!(desk.number(&format!("{of_sessions} > now() + interval '5 minutes'")).await, 0);
    assert_eq!(desk.number(&format!("{of_sessions} > now() + interval '4 minutes'")).await, 1);
    desk.run(LATE).await;
    assert_eq!(refused(&post(&desk, STEP_UP, &access, json!({"passkey": late})).await), none, "too late");

    // For a second step, for the proof of a session, and the other way.
    let beside = device.get(&request(&desk, true).await);
    assert_eq!(refused(&show(&desk, &beside).await), none);
    let of_session = proof(&desk, &access, &mut device).await;
    assert_eq!(refused(&show(&desk, &of_session).await), none);
    let to_log_in = device.get(&request(&desk, false).await);
    assert_eq!(refused(&post(&desk, STEP_UP, &access, json!({"passkey": to_log_in})).await), none);
    // A session has one challenge of a kind: the newest.
    let older = device.get(&desk.call(Method::POST, "/v1/tokens/step-up/begin", Some(&access), None).await.json());
    let newer = proof(&desk, &access, &mut device).await;
    assert_eq!(refused(&post(&desk, STEP_UP, &access, json!({"passkey": older})).await), none);
    post(&desk, STEP_UP, &access, json!({"passkey": newer})).await.expect(200);
    assert_eq!(refused(&post(&desk, STEP_UP, &access, json!({"passkey": newer})).await), none, "replayed");
    let to_add = device.get(&creation(&desk, &access).await);
    assert_eq!(refused(&post(&desk, STEP_UP, &access, json!({"passkey": to_add})).await), none);
    // Twenty at once with one answer: one session.
    let one = device.get(&request(&desk, false).await);
    let answers = futures_util::future::join_all((0..20).map(|_| show(&desk, &one))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn a_flood_of_begun_log_ins_takes_nobodys_place() {
    let desk = Desk::open_without_jobs(|_| {}).await;
    let access = desk.admin(ADA).await;
    let mut device = Authenticator::new();
    add(&desk, &access, &mut device, false).await;
    let ours = request(&desk, false).await;
    for _ in 0..1_000 {
        request(&desk, false).await;
    }
    let mut stranger = Authenticator { user_handle: vec![7; 32], ..Authenticator::new() };
    show(&desk, &stranger.get(&request(&desk, false).await)).await.expect(401);
    let kept = "SELECT count(*) FROM passkey_challenges";
    assert_eq!(desk.number(kept).await, 0, "nothing is kept of what is not answered, or by nobody known");
    show(&desk, &device.get(&ours)).await.expect(200);
    assert_eq!(desk.number(&format!("{kept} WHERE challenge ~ '^[0-9a-f]{{64}}$'")).await, 1);
    // What was answered is known for longer than it could be answered again, and goes.
    assert_eq!(desk.number(&format!("{kept} WHERE expires_at > now() + interval '5 minutes'")).await, 1);
    desk.run(LATE).await;
    let purge = estore_users::PURGES.iter().find(|purge| purge.name == "passkey_challenges").unwrap();
    purge.run(&desk.db, &tokio_util::sync::CancellationToken::new(), &|_| {}).await.unwrap();
    assert_eq!(desk.number(kept).await, 0);
}

#[tokio::test]
async fn who_is_logged_in_no_more_begins_nothing() {
    // Nobody hears here that sessions end: the access token alone would do for a while.
    let desk = Desk::open_without_jobs(|_| {}).await;
    let access = desk.admin(ADA).await;
    add(&desk, &access, &mut Authenticator::new(), false).await;
    let begun = async |path| desk.call(Method::POST, path, Some(&access), None).await;
    for (sql, status) in [
        ("UPDATE users SET is_active = false", 401),
        ("UPDATE users SET is_active = true", 200),
        ("UPDATE sessions SET ended_at = now(), end_reason = 'logout'", 401),
    ] {
        desk.run(sql).await;
        for path in ["/v1/users/me/passkeys/begin", "/v1/tokens/step-up/begin"] {
            begun(path).await.expect(status);
        }
    }
}
