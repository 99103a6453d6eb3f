//! Whether the time of an answer tells who has an account: many are asked about in turn, those who have one and those who
//! have none, and the times of both are compared by their ranks. Noise of a busy machine meets both alike.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::desk::{Desk, PASSWORD};

/// How many of each kind are asked about. By chance alone the ranks leave the bounds once in a million runs.
const ASKED: usize = 25;
/// How often one of the first kind may be slower than one of the second, in percent of all pairs.
const EVEN: std::ops::RangeInclusive<usize> = 10..=90;

/// What somebody registers addresses with that may be others'.
const STRANGERS: &str = "kartoffel-turm-77";

async fn time(desk: &Desk, path: &str, body: Value, wanted: u16) -> Duration {
    let begun = Instant::now();
    desk.call(Method::POST, path, None, Some(body)).await.expect(wanted);
    begun.elapsed()
}

/// In how many percent of all pairs the first takes longer.
fn percent_slower(first: &[Duration], second: &[Duration]) -> usize {
    let slower: usize = first.iter().map(|one| second.iter().filter(|other| one > *other).count()).sum();
    slower * 100 / (first.len() * second.len())
}

async fn tells_nothing(desk: &Desk, path: &str, wanted: u16, body: impl Fn(&str) -> Value) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..ASKED {
        let (has, has_not) = (body(&format!("known-{n}@example.com")), body(&format!("unknown-{n}@example.com")));
        // Who comes first changes, so that neither kind always finds the machine as the other left it.
        if n % 2 == 0 {
            known.push(time(desk, path, has, wanted).await);
            unknown.push(time(desk, path, has_not, wanted).await);
        } else {
            unknown.push(time(desk, path, has_not, wanted).await);
            known.push(time(desk, path, has, wanted).await);
        }
    }
    let percent = percent_slower(&known, &unknown);
    assert!(EVEN.contains(&percent), "{path}: {percent} % slower with an account\n{known:?}\n{unknown:?}");
}

/// Accounts with one password, and a token that makes the first statements of each kind warm.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    desk.customer("ada@example.com").await;
    desk.run(&format!(
        "INSERT INTO users (email, hashed_password, is_verified)
         SELECT 'known-' || n || '@example.com', hashed_password, true FROM users, generate_series(0, {ASKED}) AS n"
    ))
    .await;
    for path in ["/v1/password-resets", "/v1/users/verify/resend"] {
        desk.post(path, json!({"email": "ada@example.com"})).await.expect(202);
    }
    desk
}

#[tokio::test]
async fn the_time_of_a_refused_log_in_tells_nothing() {
    let desk = desk().await;
    tells_nothing(&desk, "/v1/tokens", 401, |email| json!({"email": email, "password": "wrong-one-42"})).await;
}

#[tokio::test]
async fn the_time_of_a_log_in_after_a_registration_tells_nothing() {
    let desk = desk().await;
    for email in (0..ASKED).flat_map(|n| [format!("known-{n}@example.com"), format!("unknown-{n}@example.com")]) {
        desk.register(&email, STRANGERS).await;
    }
    tells_nothing(&desk, "/v1/tokens", 401, |email| json!({"email": email, "password": STRANGERS})).await;
}

#[tokio::test]
async fn the_time_of_a_letter_asked_for_tells_nothing() {
    let desk = desk().await;
    tells_nothing(&desk, "/v1/password-resets", 202, |email| json!({"email": email})).await;
    tells_nothing(&desk, "/v1/users/verify/resend", 202, |email| json!({"email": email})).await;
}

#[tokio::test]
async fn the_time_of_a_registration_tells_nothing() {
    let desk = desk().await;
    tells_nothing(&desk, "/v1/users", 202, |email| json!({"email": email, "password": PASSWORD})).await;
}
