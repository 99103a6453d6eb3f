//! Buyers who do not give up: the same request under the same key until there is a final answer.

use std::time::{Duration, Instant};

use estore_testkit::client::{Answer, Client};
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// How long a buyer insists before the shop has failed.
const INSIST_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a shop may take over any one answer.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(31);

/// A fresh idempotency key.
pub fn key() -> String {
    Uuid::now_v7().to_string()
}

/// The body of an order of one line.
pub fn order_of(product: i64, quantity: i64, method: i64) -> Value {
    json!({ "product_id": product, "quantity": quantity, "payment_method_id": method })
}

/// The body of a checkout.
pub fn checkout_of(lines: &[(i64, i64)], method: i64) -> Value {
    let line = |(product, quantity): &(i64, i64)| json!({ "product_id": product, "quantity": quantity });
    json!({ "lines": lines.iter().map(line).collect::<Vec<_>>(), "payment_method_id": method })
}

/// One request, answered in time or cut off.
///
/// # Panics
/// When the shop neither answers nor lets go within its time limit.
pub async fn once(buyer: &Client, path: &str, key: &str, body: &Value) -> Option<Answer> {
    let headers = [("idempotency-key", key)];
    let sent = buyer.try_send(Method::POST, path, Some(body), &headers);
    match tokio::time::timeout(ANSWER_TIME_MAX, sent).await {
        Ok(answer) => answer.ok(),
        Err(_elapsed) => panic!("{path} under {key}: no answer within {ANSWER_TIME_MAX:?}"),
    }
}

/// Whether an answer is the last word on a request.
pub fn is_final(answer: &Answer) -> bool {
    answer.status < 500 && answer.code() != "request_in_progress"
}

/// Repeats a request under its key until there is a final answer.
///
/// # Panics
/// When there is none within a minute.
pub async fn insist(buyer: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let begun = Instant::now();
    let mut last = None;
    while begun.elapsed() < INSIST_TIME_MAX {
        if let Some(answer) = once(buyer, path, key, body).await {
            if is_final(&answer) {
                return answer;
            }
            last = Some(answer);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let last = last.map_or_else(|| "none".to_owned(), |answer| format!("{} {}", answer.status, answer.text));
    panic!("{path} under {key}: no final answer, the last was {last}");
}

/// What is left of a product, as the shop says.
pub async fn stock(client: &Client, product: i64) -> i64 {
    client.get(&format!("/v1/products/{product}")).await.expect(200).json["quantity"].as_i64().unwrap()
}

/// Waits until a product's stock is this.
///
/// # Panics
/// When it is not within 30 seconds.
pub async fn stock_becomes(client: &Client, product: i64, wanted: i64) {
    let begun = Instant::now();
    loop {
        let left = stock(client, product).await;
        if left == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "product {product}: {left} left, not {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until `estore verify` finds every promise kept and nothing under way; answers how long that took.
///
/// # Panics
/// With its words when it does not within `limit`.
pub async fn verify_clean(shop: &Shop, limit: Duration) -> Duration {
    let begun = Instant::now();
    loop {
        let (ok, out, err) = shop.try_estore(&["verify", "--json"], "");
        let found: Value = serde_json::from_str(&out).unwrap_or_default();
        let checks = found["checks"].as_array().cloned().unwrap_or_default();
        let in_flight: i64 = checks.iter().filter_map(|check| check["in_flight"].as_i64()).sum();
        if ok && !checks.is_empty() && in_flight == 0 {
            return begun.elapsed();
        }
        let broken = checks.iter().filter(|check| check["broken"] != 0 || check["in_flight"] != 0);
        let told = broken.map(Value::to_string).collect::<Vec<_>>().join("\n");
        assert!(begun.elapsed() < limit, "after {limit:?} the books do not close:\n{told}\n{err}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
