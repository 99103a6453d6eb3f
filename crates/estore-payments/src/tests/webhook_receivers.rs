//! Receivers that refuse, flood, lead elsewhere or never answer: what they missed comes again, and nobody else is hurt.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::bench::{ADMIN, BUYER, Bench, TEA};
use super::receiver::{Manners, Receiver};
use super::webhooks::{Jobs, bench, deliveries_once, endpoint};
use crate::PaymentsConfig;

#[tokio::test]
async fn a_failed_delivery_is_repeated_with_its_id_before_later_ones_of_its_order() {
    let bench = bench(&[0, 0, 0]).await;
    let receiver = Receiver::start(Manners::RefusesOnce).await;
    let made = endpoint(&bench, &receiver.url(), &["all"]).await;
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    for n in 0..5 {
        bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await.expect(201);
    }
    let messages = receiver.wait_for(20).await;
    deliveries_once(&bench, &made, "delivered", 10).await;
    jobs.stop().await;
    assert_eq!(receiver.messages().len(), 20);
    let orders: HashSet<i64> = messages.iter().map(|m| m.order()).collect();
    assert_eq!(orders.len(), 5);
    for order in orders {
        let of: Vec<_> = messages.iter().filter(|m| m.order() == order).collect();
        let kinds: Vec<&str> = of.iter().map(|m| m.kind()).collect();
        assert_eq!(kinds, ["order.created", "order.created", "order.paid", "order.paid"]);
        assert_eq!(of[0].header("webhook-id"), of[1].header("webhook-id"));
        assert_eq!(of[0].body, of[1].body);
        assert_ne!(of[1].header("webhook-id"), of[2].header("webhook-id"));
    }
}

#[tokio::test]
async fn what_nobody_takes_is_dead_and_can_be_replayed_in_order() {
    let bench = bench(&[0, 0]).await;
    let receiver = Receiver::start(Manners::Refuses).await;
    let made = endpoint(&bench, &receiver.url(), &["all"]).await;
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    let order = bench.order(BUYER, "k", TEA, 1, card).await.expect(201).id();
    let dead = deliveries_once(&bench, &made, "dead", 2).await;
    for one in &dead {
        assert_eq!((&one["attempts"], &one["last_status"]), (&json!(3), &json!(500)));
        assert!(one["last_error"].as_str().unwrap().contains("500"), "{one}");
    }
    assert_eq!(receiver.messages().len(), 6);
    receiver.behave(Manners::Takes);
    let base = format!("/v1/webhook-endpoints/{}/deliveries", made.json["id"].as_str().unwrap());
    let replay = bench.request(ADMIN, "POST", &format!("{base}/replay"), None, &json!({}));
    assert_eq!(bench.send(replay).await.expect(202).json, json!({"replayed": 2}));
    let messages = receiver.wait_for(8).await;
    let again: Vec<_> = messages[6..].iter().map(|m| m.kind()).collect();
    assert_eq!(again, ["order.created", "order.paid"]);
    assert_eq!(messages[6].header("webhook-id"), messages[0].header("webhook-id"));
    let delivered = deliveries_once(&bench, &made, "delivered", 2).await;
    let one = format!("{base}/{}/replay", delivered[0]["id"]);
    bench.send(bench.request(ADMIN, "POST", &one, None, &json!({}))).await.expect(202);
    assert_eq!(receiver.wait_for(9).await[8].kind(), "order.paid");
    let unknown = bench.request(ADMIN, "POST", &format!("{base}/999999/replay"), None, &json!({}));
    assert_eq!(bench.send(unknown).await.expect(409).code(), "not_replayable");
    assert!(messages.iter().all(|m| m.order() == order));
    jobs.stop().await;
    bench.verify().await;
}

#[tokio::test]
async fn a_hostile_receiver_hurts_nobody_else() {
    let bench = Arc::new(bench(&[3_600]).await);
    let inner = Receiver::start(Manners::Takes).await;
    let silent = Receiver::start(Manners::NeverAnswers).await;
    let flood = Receiver::start(Manners::Floods).await;
    let redirect = Receiver::start(Manners::Redirects(inner.port)).await;
    let good = Receiver::start(Manners::Takes).await;
    let (floods, redirects) =
        (endpoint(&bench, &flood.url(), &["all"]).await, endpoint(&bench, &redirect.url(), &["order.paid"]).await);
    endpoint(&bench, &silent.url(), &["all"]).await;
    endpoint(&bench, "http://127.0.0.1:9/closed", &["all"]).await;
    endpoint(&bench, &good.url(), &["all"]).await;
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    let begun = Instant::now();
    let sends = (0..40).map(|n| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await.expect(201) })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap();
    }
    let messages = good.wait_for(80).await;
    let last = messages.iter().map(|m| m.at).max().unwrap();
    let waited = last.duration_since(begun);
    assert!(waited < Duration::from_secs(8), "{waited:?}: before the first silent one is given up");
    assert!(silent.messages().len() <= 8, "{} at a time", silent.messages().len());
    assert_eq!(inner.messages().len(), 0, "redirects are not followed");
    let failed = deliveries_once(&bench, &redirects, "pending", 40).await;
    assert!(failed.iter().any(|one| one["last_error"].as_str().unwrap_or("").contains("redirects")), "{}", failed[0]);
    // An answer of 200 counts, however long it goes on; its end is not waited for.
    let taken = deliveries_once(&bench, &floods, "delivered", 80).await;
    assert_eq!(taken[0]["last_status"], 200);
    // Those that never answer are given up after their time, and the service stops.
    jobs.stop().await;
    let given_up = "SELECT count(*) FROM webhook_deliveries WHERE last_error LIKE '%in time%'";
    assert!(bench.count(given_up).await > 0);
    bench.verify().await;
}

#[tokio::test]
async fn addresses_inside_are_refused_when_named_and_when_resolved() {
    let private = Receiver::start(Manners::Takes).await;
    let bench = Bench::configured(PaymentsConfig {
        resume_after_seconds: 1,
        webhook_retry_seconds: Vec::new(),
        ..PaymentsConfig::default()
    })
    .await;
    for url in ["http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://[::ffff:127.0.0.1]/", "x"] {
        let body = json!({"url": url, "events": ["all"]});
        let got = bench.send(bench.request(ADMIN, "POST", "/v1/webhook-endpoints", None, &body)).await.expect(422);
        assert_eq!(got.json["errors"][0]["pointer"], "/url", "{url}");
    }
    // One that was let in under other settings, and a name that leads inside.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inner = listener.local_addr().unwrap().port();
    let names = [
        format!("http://127.0.0.1:{}/", private.port),
        format!("https://127.0.0.1:{inner}/"),
        format!("https://localhost.localdomain:{inner}/"),
    ];
    for url in &names {
        let insert =
            "INSERT INTO webhook_endpoints (id, url, events, created_by) VALUES (gen_random_uuid(), $1, '{all}', 1)";
        bench.db.execute(insert, &[url]).await.unwrap();
    }
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    let begun = Instant::now();
    while bench.count("SELECT count(*) FROM webhook_deliveries WHERE state = 'dead'").await < 6 {
        assert!(begun.elapsed() < Duration::from_secs(15));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    jobs.stop().await;
    assert_eq!(private.messages().len(), 0);
    let knock = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(knock.is_err(), "nobody even connects: {knock:?}");
    let told = "SELECT count(*) FROM webhook_deliveries
        WHERE last_error LIKE '%https%' OR last_error LIKE '%internet%' OR last_error LIKE 'cannot connect%'";
    assert_eq!(bench.count(told).await, 6);
}
