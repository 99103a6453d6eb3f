//! Mail: limits, and nothing lost.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::desk::{Desk, Ears, PASSWORD};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn an_address_is_written_to_once_a_minute_and_five_times_a_day() {
    let desk = Desk::open().await;
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    let answers = join_all((0..10).map(|_| desk.post("/v1/users/verify/resend", json!({"email": ADA})))).await;
    assert!(answers.iter().all(|answer| answer.status == 202));
    assert_eq!(desk.number("SELECT count(*) FROM mails").await, 1);
    for _ in 0..8 {
        desk.run("UPDATE mails SET created_at = created_at - interval '2 minutes'").await;
        let answers = join_all((0..3).map(|_| desk.post("/v1/users/verify/resend", json!({"email": ADA})))).await;
        assert!(answers.iter().all(|answer| answer.status == 202));
    }
    assert_eq!(desk.number("SELECT count(*) FROM mails").await, 5);
    desk.run("UPDATE mails SET created_at = created_at - interval '1 day'").await;
    desk.post("/v1/users/verify/resend", json!({"email": ADA})).await.expect(202);
    assert_eq!(desk.number("SELECT count(*) FROM mails").await, 6);
}

#[tokio::test]
async fn password_resets_are_limited_too() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    join_all((0..10).map(|_| desk.post("/v1/password-resets", json!({"email": ADA})))).await;
    assert_eq!(desk.number("SELECT count(*) FROM mails WHERE kind = 'password_reset'").await, 1);
    assert_eq!(desk.number("SELECT count(*) FROM password_reset_tokens").await, 1);
}

#[tokio::test]
async fn a_resend_writes_to_those_who_wait_only() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.run("UPDATE mails SET created_at = created_at - interval '1 hour'").await;
    let done = desk.post("/v1/users/verify/resend", json!({"email": ADA})).await.expect(202);
    let nobody = desk.post("/v1/users/verify/resend", json!({"email": "nobody@example.com"})).await.expect(202);
    assert_eq!(done.text, nobody.text);
    assert_eq!(desk.number("SELECT count(*) FROM mails").await, 1);
    desk.post("/v1/users/verify/resend", json!({"email": "nobody"})).await.expect(422);
}

#[tokio::test]
async fn a_letter_that_cannot_leave_waits_and_is_forgotten_once_it_has_left() {
    let desk = Desk::open().await;
    let folder = desk.folder.path().join("mail");
    std::fs::remove_dir_all(&folder).unwrap();
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    for _ in 0..500 {
        if desk.number("SELECT count(*) FROM mails WHERE last_error IS NOT NULL AND body <> ''").await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::fs::create_dir(&folder).unwrap();
    desk.run("UPDATE mails SET next_attempt_at = now()").await;
    desk.letter(ADA, "verification").await;
    desk.all_mail_left().await;
    assert_eq!(desk.text("SELECT body FROM mails").await, "");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_has_ended_is_removed() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.log_in(ADA, PASSWORD).await;
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    desk.all_mail_left().await;
    for table in ["sessions", "refresh_tokens", "password_reset_tokens"] {
        desk.run(&format!(
            "UPDATE {table} SET created_at = now() - interval '3 days', expires_at = now() - interval '1 second'"
        ))
        .await;
    }
    desk.run("UPDATE mails SET created_at = now() - interval '3 days'").await;
    let jobs = tokio_util::sync::CancellationToken::new();
    let (users, shutdown) = (desk.users.clone(), jobs.clone());
    let running = tokio::spawn(async move { users.run_jobs(Arc::new(Ears::default()), shutdown).await });
    let left = "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM refresh_tokens) \
                + (SELECT count(*) FROM password_reset_tokens) + (SELECT count(*) FROM mails)";
    for _ in 0..500 {
        if desk.number(left).await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(desk.number(left).await, 0);
    jobs.cancel();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
}

#[tokio::test]
async fn letters_that_wait_are_sealed_and_leave_as_they_were_written() {
    let desk = Desk::open_without_jobs(|_| {}).await;
    desk.post("/v1/users", json!({"email": "ada@example.com", "password": PASSWORD})).await.expect(202);
    let stored = desk.text("SELECT string_agg(mails::text, '') FROM mails").await;
    assert!(
        stored.contains("sealed:1:") && !stored.contains("Token: ") && !stored.contains("verify-email"),
        "{stored}"
    );
    let written = desk.newest_waiting_letter().await;
    assert!(written.contains("Token: "), "{written}");
    // Another process delivers it; what is sealed for another letter never leaves.
    desk.run("UPDATE mails SET sealed_for = gen_random_uuid()").await;
    let other = desk.another().await;
    let waits = "SELECT count(*) FROM mails WHERE last_error LIKE 'mails|body|% does not open%' AND body <> ''";
    let begun = std::time::Instant::now();
    while other.number(waits).await == 0 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "a letter that does not open is tried and kept");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(other.letters("ada@example.com", "verification").len(), 0);
    desk.post("/v1/users", json!({"email": "bob@example.com", "password": PASSWORD})).await.expect(202);
    let token = other.mailed_token("bob@example.com", "verification").await;
    other.post("/v1/users/verify", json!({"token": token})).await.expect(200);
}
