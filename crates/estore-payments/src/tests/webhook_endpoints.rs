//! Endpoints that are changed, paused, gone, or get new secrets; and what is on its way to them meanwhile.

use serde_json::{Value, json};

use super::bench::{ADMIN, BUYER, Bench, Got, STAFF, TEA};
use super::receiver::{Manners, Receiver};
use super::webhooks::{Jobs, bench, deliveries_once, endpoint};
use crate::operations::deliver_webhooks::look_after;
use crate::store;
use crate::webhook::{Attempt, DeliveryState};

async fn change(bench: &Bench, endpoint: &Got, body: &Value) -> Got {
    bench.send(bench.request(ADMIN, "PATCH", &path(endpoint), None, body)).await
}

async fn rotate(bench: &Bench, endpoint: &Got) -> Got {
    let path = format!("{}/rotate-secret", path(endpoint));
    bench.send(bench.request(ADMIN, "POST", &path, None, &Value::Null)).await
}

fn path(endpoint: &Got) -> String {
    format!("/v1/webhook-endpoints/{}", endpoint.json["id"].as_str().unwrap())
}

fn secret(endpoint: &Got) -> &str {
    endpoint.json["secret"].as_str().unwrap()
}

#[tokio::test]
async fn what_is_on_its_way_follows_an_endpoint_to_its_new_address() {
    let bench = bench(&[0; 50]).await;
    let (old, new) = (Receiver::start(Manners::Refuses).await, Receiver::start(Manners::Takes).await);
    let made = endpoint(&bench, &old.url(), &["all"]).await;
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k1", TEA, 1, card).await.expect(201);
    old.wait_for(1).await;
    let body = json!({"url": new.url(), "events": ["order.paid", "order.paid"], "description": "moved"});
    let changed = change(&bench, &made, &body).await.expect(200);
    assert_eq!((&changed.json["events"], &changed.json["description"]), (&json!(["order.paid"]), &json!("moved")));
    let kinds: Vec<String> = new.wait_for(2).await.iter().map(|m| m.kind().to_owned()).collect();
    assert_eq!(kinds, ["order.created", "order.paid"], "what was asked for before is still delivered");
    bench.order(BUYER, "k2", TEA, 1, card).await.expect(201);
    assert_eq!(new.wait_for(3).await[2].kind(), "order.paid");
    let bare = change(&bench, &made, &json!({"description": null})).await.expect(200);
    assert_eq!((&bare.json["description"], &bare.json["url"]), (&Value::Null, &json!(new.url())));
    jobs.stop().await;
    assert_eq!(new.messages().len(), 3);
    bench.verify().await;
}

#[tokio::test]
async fn changes_of_endpoints_keep_the_rules() {
    let bench = bench(&[1]).await;
    let made = endpoint(&bench, "http://127.0.0.1:9/hook", &["all"]).await;
    for (body, pointer) in [
        (json!({"url": "ftp://example.com"}), "/url"),
        (json!({"events": []}), "/events"),
        (json!({"events": ["order.eaten"]}), "/events/0"),
        (json!({"description": "x".repeat(256)}), "/description"),
    ] {
        let refused = change(&bench, &made, &body).await.expect(422);
        assert_eq!(refused.json["errors"][0]["pointer"], pointer);
    }
    for (method, path) in [("PATCH", path(&made)), ("POST", format!("{}/rotate-secret", path(&made)))] {
        for user in [BUYER, STAFF] {
            bench.send(bench.request(user, method, &path, None, &json!({}))).await.expect(403);
        }
        let unknown = path.replace(made.json["id"].as_str().unwrap(), &uuid::Uuid::now_v7().to_string());
        bench.send(bench.request(ADMIN, method, &unknown, None, &json!({}))).await.expect(404);
    }
    let seen = bench.get(ADMIN, &path(&made)).await.expect(200);
    let tag = seen.headers["etag"].clone();
    for (tag, status) in [("\"stale\"".parse().unwrap(), 412), (tag.clone(), 200), (tag, 412)] {
        let mut request = bench.request(ADMIN, "PATCH", &path(&made), None, &json!({"events": ["order.paid"]}));
        request.headers_mut().insert("if-match", tag);
        bench.send(request).await.expect(status);
    }
    bench.send(bench.request(ADMIN, "DELETE", &path(&made), None, &json!({}))).await.expect(204);
    change(&bench, &made, &json!({"is_active": true})).await.expect(404);
    rotate(&bench, &made).await.expect(404);
    let deleted = bench.get(ADMIN, &path(&made)).await.expect(200);
    assert_eq!(
        (&deleted.json["is_active"], &deleted.json["inactive_reason"]),
        (&json!(false), &json!("it was deleted"))
    );
}

#[tokio::test]
async fn a_paused_endpoint_hears_nothing_and_can_be_taken_up_again() {
    let bench = bench(&[3_600]).await;
    let receiver = Receiver::start(Manners::Refuses).await;
    let made = endpoint(&bench, &receiver.url(), &["all"]).await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k1", TEA, 1, card).await.expect(201);
    bench.relay().await;
    let jobs = Jobs::start(&bench);
    receiver.wait_for(1).await;
    let paused = change(&bench, &made, &json!({"is_active": false})).await.expect(200);
    assert_eq!(paused.json["inactive_reason"], format!("user {ADMIN} paused it"));
    let dead = deliveries_once(&bench, &made, "dead", 2).await;
    assert!(dead.iter().all(|one| one["last_error"] == "the endpoint was paused"), "{dead:?}");
    let listed = bench.get(ADMIN, "/v1/webhook-endpoints").await.expect(200);
    assert_eq!(listed.json["data"][0]["is_active"], false, "staff still see it");
    bench.order(BUYER, "k2", TEA, 1, card).await.expect(201);
    bench.relay().await;
    jobs.stop().await;
    assert_eq!(bench.count("SELECT count(*) FROM webhook_deliveries").await, 2, "none is written meanwhile");
    let replay = format!("{}/deliveries/replay", path(&made));
    bench.send(bench.request(ADMIN, "POST", &replay, None, &json!({}))).await.expect(404);
    receiver.behave(Manners::Takes);
    let active = change(&bench, &made, &json!({"is_active": true})).await.expect(200);
    assert_eq!((&active.json["is_active"], &active.json["inactive_reason"]), (&json!(true), &Value::Null));
    bench.send(bench.request(ADMIN, "POST", &replay, None, &json!({}))).await.expect(202);
    let jobs = Jobs::start(&bench);
    deliveries_once(&bench, &made, "delivered", 2).await;
    jobs.stop().await;
    bench.verify().await;
}

#[tokio::test]
async fn old_and_new_secrets_sign_for_a_day() {
    let bench = bench(&[1]).await;
    let receiver = Receiver::start(Manners::Takes).await;
    let made = endpoint(&bench, &receiver.url(), &["order.paid"]).await;
    let second = rotate(&bench, &made).await.expect(200);
    assert_ne!(secret(&made), secret(&second));
    assert!(second.json["old_secret_until"].is_string());
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k1", TEA, 1, card).await.expect(201);
    let both = receiver.wait_for(1).await[0].clone();
    assert!(both.is_signed_with(secret(&made)) && both.is_signed_with(secret(&second)));
    assert_eq!(both.header("webhook-signature").split(' ').count(), 2);
    // The answer to a rotation was lost and it is asked again: what the receiver has still signs.
    let third = rotate(&bench, &made).await.expect(200);
    bench.order(BUYER, "k2", TEA, 1, card).await.expect(201);
    let three = receiver.wait_for(2).await[1].clone();
    assert!([&made, &second, &third].iter().all(|one| three.is_signed_with(secret(one))));
    rotate(&bench, &made).await.expect(200);
    assert_eq!(rotate(&bench, &made).await.expect(409).code(), "too_many_webhook_secrets");
    bench.db.execute("UPDATE webhook_endpoints SET old_secret_until = now()", &[]).await.unwrap();
    bench.order(BUYER, "k3", TEA, 1, card).await.expect(201);
    let one = receiver.wait_for(3).await[2].clone();
    assert_eq!(one.header("webhook-signature").split(' ').count(), 1, "the day is over");
    assert!(![&made, &second, &third].iter().any(|old| one.is_signed_with(secret(old))));
    rotate(&bench, &made).await.expect(200);
    jobs.stop().await;
}

/// How long after its last attempt a delivery is tried again, in seconds.
async fn pause(bench: &Bench, receiver: &Receiver) -> i64 {
    let url = receiver.url();
    let sql = "SELECT extract(epoch FROM d.next_attempt_at - d.last_attempt_at)::bigint FROM webhook_deliveries d \
               JOIN webhook_endpoints p ON p.id = d.endpoint_id WHERE p.url = $1 AND d.state = 'pending'";
    bench.db.row(sql, &[&url]).await.unwrap().unwrap().get(0)
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_it_within_bounds() {
    let bench = bench(&[60]).await;
    let mut told = Vec::new();
    for (seconds, least, most) in [(3_600, 3_600, 3_640), (1, 54, 80), (u32::MAX, 21_600, 21_640)] {
        let receiver = Receiver::start(Manners::Busy(seconds)).await;
        let made = endpoint(&bench, &receiver.url(), &["order.paid"]).await;
        told.push((receiver, made, least, most));
    }
    let jobs = Jobs::start(&bench);
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k1", TEA, 1, card).await.expect(201);
    for (receiver, _, _, _) in &told {
        receiver.wait_for(1).await;
    }
    // What is under way is finished before the jobs end.
    jobs.stop().await;
    for (receiver, made, least, most) in &told {
        deliveries_once(&bench, made, "pending", 1).await;
        let seconds = pause(&bench, receiver).await;
        assert!((*least..=*most).contains(&seconds), "{seconds}, not {least} to {most}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone_and_staff_see_why() {
    let bench = bench(&[0, 0, 0]).await;
    let (gone, good) = (Receiver::start(Manners::Gone).await, Receiver::start(Manners::Takes).await);
    let (left, kept) = (endpoint(&bench, &gone.url(), &["all"]).await, endpoint(&bench, &good.url(), &["all"]).await);
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k1", TEA, 1, card).await.expect(201);
    bench.relay().await;
    let jobs = Jobs::start(&bench);
    good.wait_for(2).await;
    let dead = deliveries_once(&bench, &left, "dead", 2).await;
    let asked = dead.iter().filter(|one| one["last_status"] == 410).count();
    assert_eq!((asked, gone.messages().len()), (1, 1), "asked once: {dead:?}");
    let seen = bench.get(ADMIN, &path(&left)).await.expect(200);
    assert_eq!(
        (&seen.json["is_active"], &seen.json["inactive_reason"]),
        (&json!(false), &json!("the receiver answered 410 Gone"))
    );
    bench.order(BUYER, "k2", TEA, 1, card).await.expect(201);
    bench.relay().await;
    good.wait_for(4).await;
    deliveries_once(&bench, &kept, "delivered", 4).await;
    jobs.stop().await;
    assert_eq!(gone.messages().len(), 1);
    // An answer that comes after the endpoint has moved is not about where it is now.
    let moved = change(&bench, &left, &json!({"url": good.url(), "is_active": true})).await.expect(200);
    let late = Attempt {
        delivery: dead[0]["id"].as_i64().unwrap(),
        attempts: 1,
        state: DeliveryState::Dead,
        status: Some(410),
        error: None,
        wait_ms: 0,
        gone: Some((moved.json["id"].as_str().unwrap().parse().unwrap(), gone.url())),
    };
    store::webhooks::settle(&bench.db, &[late]).await.unwrap();
    assert_eq!(bench.get(ADMIN, &path(&left)).await.expect(200).json["is_active"], true);
    bench.verify().await;
}

#[tokio::test]
async fn a_delivery_written_in_the_instant_of_its_endpoints_end_is_dead() {
    let bench = bench(&[1]).await;
    for (n, end) in ["DELETE", "PATCH"].into_iter().enumerate() {
        let made = endpoint(&bench, "http://127.0.0.1:9/hook", &["all"]).await;
        let mut client = bench.db.client().await.unwrap();
        let publishing = client.transaction().await.unwrap();
        let publish = include_str!("../../queries/webhook_publish_events.sql");
        let (id, at, subject) = (uuid::Uuid::now_v7(), "2026-11-22T10:00:00Z", format!("user/{n}"));
        let (kinds, subjects) = (vec!["user.verified"; 2], vec![subject.as_str(); 2]);
        let (ids, times, data) = (vec![id, uuid::Uuid::now_v7()], vec![at; 2], vec![json!({}), json!({})]);
        assert_eq!(publishing.execute(publish, &[&ids, &kinds, &subjects, &times, &data]).await.unwrap(), 2);
        let status = if end == "DELETE" { 204 } else { 200 };
        let ended = bench.request(ADMIN, end, &path(&made), None, &json!({"is_active": false}));
        bench.send(ended).await.expect(status);
        publishing.commit().await.unwrap();
        let open = "SELECT count(*) FROM webhook_deliveries WHERE state IN ('pending', 'waiting')";
        assert_eq!(bench.count(open).await, 2, "written for an endpoint that was there when it began");
        look_after(&bench.payments.shop).await.unwrap();
        assert_eq!(bench.count(open).await, 0);
        let dead = deliveries_once(&bench, &made, "dead", 2).await;
        assert!(dead.iter().all(|one| one["last_error"].as_str().unwrap().contains("deleted or paused")), "{dead:?}");
    }
}

#[tokio::test]
async fn what_a_dead_process_had_in_hand_is_delivered_at_once_by_the_next() {
    let bench = bench(&[3_600]).await;
    let receiver = Receiver::start(Manners::Takes).await;
    let made = endpoint(&bench, &receiver.url(), &["order.paid"]).await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k1", TEA, 1, card).await.expect(201);
    bench.relay().await;
    assert_eq!(store::webhooks::claim(&bench.db, &[]).await.unwrap().len(), 1, "claimed, and never made");
    assert_eq!(store::webhooks::claim(&bench.db, &[]).await.unwrap().len(), 0, "another waits");
    let started = bench.db.row("SELECT now()", &[]).await.unwrap().unwrap().get(0);
    assert_eq!(store::webhooks::take_over(&bench.db, started).await.unwrap(), 1);
    let jobs = Jobs::start(&bench);
    deliveries_once(&bench, &made, "delivered", 1).await;
    jobs.stop().await;
    assert_eq!(receiver.messages().len(), 1);
    // One that waits for its next attempt by its schedule goes on waiting.
    bench.order(BUYER, "k2", TEA, 1, card).await.expect(201);
    bench.relay().await;
    receiver.behave(Manners::Refuses);
    let jobs = Jobs::start(&bench);
    receiver.wait_for(2).await;
    jobs.stop().await;
    let started = bench.db.row("SELECT now()", &[]).await.unwrap().unwrap().get(0);
    assert_eq!(store::webhooks::take_over(&bench.db, started).await.unwrap(), 0);
}
