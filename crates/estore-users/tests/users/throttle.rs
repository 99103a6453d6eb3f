//! Whoever guesses passwords waits; the owner does not wait for them.

use axum::http::{Method, header};
use futures_util::future::join_all;
use serde_json::json;

use crate::desk::{Answer, Desk, PASSWORD};

const ADA: &str = "ada@example.com";
const HOME: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.1";
/// Time goes by: as much for each failure that is known.
const WAIT: &str = "UPDATE log_in_failures SET last_at = last_at - interval '20 minutes'";

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

/// Wrong passwords, each from an address of its own, until somebody has to wait.
async fn attack(desk: &Desk, email: &str) -> Answer {
    for n in 1..50 {
        let answer = desk.log_in_from(&format!("203.0.113.{n}"), email, "wrong-one-42").await;
        if answer.status == 429 {
            return answer;
        }
        assert_eq!(refused(&answer), (401, "invalid_credentials".into()));
    }
    panic!("nobody ever has to wait");
}

#[tokio::test]
async fn an_attacked_account_holds_strangers_and_not_its_owner() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    let delayed = attack(&desk, ADA).await;
    assert_eq!(delayed.code(), "log_in_delayed");
    desk.run("UPDATE log_in_failures SET failures = 15, last_at = now()").await;

    // Nor does the right password help elsewhere, where it would tell that it is right.
    let waiting = desk.log_in_from(ELSEWHERE, ADA, PASSWORD).await.expect(429);
    let seconds: u32 = waiting.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=512).contains(&seconds), "{seconds}");
    // At home nothing of it is felt, by the same network or another process.
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    let another = desk.another().await;
    another.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    assert_eq!(another.log_in_from(ELSEWHERE, ADA, PASSWORD).await.status, 429, "the count is everybody's");

    // Waiting costs nothing more, and then the right password does.
    for _ in 0..3 {
        desk.log_in_from(ELSEWHERE, ADA, PASSWORD).await.expect(429);
    }
    assert_eq!(desk.number("SELECT max(failures)::bigint FROM log_in_failures").await, 15);
    desk.run(WAIT).await;
    desk.log_in_from(ELSEWHERE, ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn who_proves_the_address_need_not_wait() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    attack(&desk, ADA).await;
    attack(&desk, "bob@example.com").await;
    desk.run("UPDATE log_in_failures SET failures = 50, last_at = now()").await;
    desk.log_in_from(ELSEWHERE, ADA, PASSWORD).await.expect(429);
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let body = json!({"token": token, "new_password": "lantern-marsh-5"});
    desk.post("/v1/password-resets/confirm", body).await.expect(200);
    desk.log_in_from(ELSEWHERE, ADA, "lantern-marsh-5").await.expect(200);
    desk.log_in_from(ELSEWHERE, "bob@example.com", "wrong-one-42").await.expect(429);
}

#[tokio::test]
async fn an_hour_without_a_failure_begins_the_count_anew_and_none_younger_is_purged() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let purge = estore_users::PURGES.iter().find(|purge| purge.name == "log_in_failures").unwrap();
    let ago = async |minutes: i32| {
        let sql = format!("UPDATE log_in_failures SET failures = 9, last_at = now() - interval '{minutes} minutes'");
        desk.run(&sql).await;
        let all: i64 = 1_000;
        desk.db.execute(purge.remove, &[&purge.kept.as_secs_f64(), &all]).await.unwrap();
    };
    desk.log_in_from(HOME, ADA, "wrong-one-42").await.expect(401);
    for (minutes, failures) in [(59, 10), (61, 1)] {
        ago(59).await;
        assert_eq!(desk.number("SELECT count(*) FROM log_in_failures").await, 3, "they are all remembered");
        desk.run(&format!("UPDATE log_in_failures SET last_at = now() - interval '{minutes} minutes'")).await;
        desk.log_in_from(HOME, ADA, "wrong-one-42").await.expect(401);
        let counted = "SELECT min(failures)::bigint + max(failures) FROM log_in_failures";
        assert_eq!(desk.number(counted).await, failures * 2, "{minutes} minutes");
    }
    ago(61).await;
    assert_eq!(desk.number("SELECT count(*) FROM log_in_failures").await, 0);
}

#[tokio::test]
async fn who_proves_the_address_need_not_wait_for_what_they_tried_themselves() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.log_in_from(HOME, ADA, "wrong-one-42").await.expect(401);
    desk.run("UPDATE log_in_failures SET failures = 20, last_at = now()").await;
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(429);
    desk.post("/v1/password-resets", json!({"email": ADA})).await.expect(202);
    let token = desk.mailed_token(ADA, "password_reset").await;
    let body = json!({"token": token, "new_password": "lantern-marsh-5"});
    desk.post("/v1/password-resets/confirm", body).await.expect(200);
    desk.log_in_from(HOME, ADA, "lantern-marsh-5").await.expect(200);
}

#[tokio::test]
async fn an_account_that_there_is_not_waits_as_long() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let known = attack(&desk, ADA).await;
    desk.run("DELETE FROM log_in_failures").await;
    let unknown = attack(&desk, "nobody@example.com").await;
    assert_eq!((refused(&known), &known.json()["detail"]), (refused(&unknown), &unknown.json()["detail"]));
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_waits() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    for n in 0..2 {
        desk.log_in_from(HOME, &format!("c{n}@example.com"), "wrong-one-42").await.expect(401);
    }
    desk.run("UPDATE log_in_failures SET failures = 40, last_at = now() WHERE failures = 2").await;
    assert_eq!(desk.log_in_from(HOME, "new@example.com", "wrong-one-42").await.status, 429);
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    desk.log_in_from(ELSEWHERE, ADA, PASSWORD).await.expect(200);
    // What is behind a proxy on this machine is not told apart, and not held together.
    for _ in 0..2 {
        desk.log_in_from("127.0.0.1", ADA, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn failures_at_home_are_held_at_home_and_forgotten_by_success() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    for _ in 0..4 {
        desk.log_in_from(HOME, ADA, "wrong-one-42").await.expect(401);
    }
    assert_eq!(desk.number("SELECT count(*) FROM log_in_failures").await, 3);
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    assert_eq!(desk.number("SELECT count(*) FROM log_in_failures").await, 2);
    for _ in 0..6 {
        desk.log_in_from(HOME, ADA, "wrong-one-42").await.expect(401);
    }
    desk.run("UPDATE log_in_failures SET failures = 20, last_at = now() WHERE failures = 6").await;
    assert_eq!(desk.log_in_from(HOME, ADA, PASSWORD).await.status, 429);
}

#[tokio::test]
async fn many_at_once_do_not_pass_by_the_count() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let addresses: Vec<_> = (1..40).map(|n| format!("203.0.113.{n}")).collect();
    let answers = join_all(addresses.iter().map(|address| desk.log_in_from(address, ADA, "wrong-one-42"))).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert!((6..=20).contains(&looked_at), "{looked_at}");
    let delayed = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!(looked_at + delayed, 39);
}

#[tokio::test]
async fn a_stolen_session_cannot_guess_the_password() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (stolen, own) = (desk.log_in(ADA, PASSWORD).await.0, desk.log_in(ADA, PASSWORD).await.0);
    let guess = json!({"current_password": "wrong-one-42", "email": "x@example.com"});
    for _ in 0..5 {
        desk.patch("/v1/users/me", &stolen, guess.clone()).await.expect(403);
    }
    desk.patch("/v1/users/me", &stolen, guess.clone()).await.expect(403);
    desk.run("UPDATE log_in_failures SET failures = 30, last_at = now()").await;
    assert_eq!(desk.patch("/v1/users/me", &stolen, guess).await.expect(429).code(), "log_in_delayed");
    let erase = Some(json!({"current_password": PASSWORD}));
    desk.call(Method::DELETE, "/v1/users/me", Some(&stolen), erase).await.expect(429);
    let right = json!({"current_password": PASSWORD, "email": "x@example.com"});
    desk.patch("/v1/users/me", &own, right).await.expect(200);
}

#[tokio::test]
async fn many_guesses_of_a_session_at_once_do_not_pass_by_the_count() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let stolen = desk.log_in(ADA, PASSWORD).await.0;
    let guess = json!({"current_password": "wrong-one-42", "email": "x@example.com"});
    let answers = join_all((0..30).map(|_| desk.patch("/v1/users/me", &stolen, guess.clone()))).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 403).count();
    let delayed = answers.iter().filter(|answer| answer.status == 429).count();
    assert!((6..=15).contains(&looked_at) && looked_at + delayed == 30, "{looked_at} {delayed}");
}

#[tokio::test]
async fn no_address_of_anybody_is_kept() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    desk.log_in_from(HOME, ADA, PASSWORD).await.expect(200);
    desk.log_in_from(HOME, ADA, "wrong-one-42").await.expect(401);
    let kept = desk.text("SELECT coalesce(string_agg(f::text, ' '), '') || (SELECT string_agg(s::text, ' ') FROM sessions s) FROM log_in_failures f").await;
    assert!(!kept.contains(HOME) && !kept.contains(ADA), "{kept}");
    assert_eq!(desk.number("SELECT count(*) FROM sessions WHERE address_key IS NOT NULL").await, 1);
}
