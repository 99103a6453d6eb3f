//! What UserService tells others, and what it writes to buyers when it is told.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use estore_api::users::{NoticeKind, OrderNotice, UsersApi};
use serde_json::json;
use uuid::Uuid;

use crate::desk::{Desk, PASSWORD};

async fn heard(desk: &Desk, count: usize) -> Vec<estore_api::events::ServiceEvent> {
    for _ in 0..1_000 {
        let heard = desk.ears.heard.lock().unwrap().clone();
        if heard.len() >= count {
            return heard;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} events were not heard within 10 s");
}

#[tokio::test]
async fn a_proved_address_is_told_once_and_again_with_the_same_id_when_the_answer_is_lost() {
    let desk = Desk::open().await;
    desk.ears.loses_answers.store(true, SeqCst);
    desk.customer("ada@example.com").await;
    let events = heard(&desk, 2).await;
    assert_eq!(events[0], events[1]);
    let id = desk.id_of("ada@example.com").await;
    assert_eq!((events[0].kind.as_str(), &events[0].data), ("user.verified", &json!({"id": id})));
    // A second proof, by a new password, tells nothing new.
    desk.post("/v1/password-resets", json!({"email": "ada@example.com"})).await.expect(202);
    let token = desk.mailed_token("ada@example.com", "password_reset").await;
    let body = json!({"token": token, "new_password": format!("{PASSWORD}-x")});
    desk.post("/v1/password-resets/confirm", body).await.expect(200);
    // But that is a proof where there was none.
    desk.post("/v1/users", json!({"email": "bob@example.com", "password": PASSWORD})).await.expect(202);
    desk.post("/v1/password-resets", json!({"email": "bob@example.com"})).await.expect(202);
    let token = desk.mailed_token("bob@example.com", "password_reset").await;
    let body = json!({"token": token, "new_password": format!("{PASSWORD}-x")});
    desk.post("/v1/password-resets/confirm", body).await.expect(200);
    let bob = desk.id_of("bob@example.com").await;
    let events = heard(&desk, 3).await;
    assert_eq!((events.len(), &events[2].data), (3, &json!({"id": bob})));
    assert_ne!(events[2].id, events[0].id);
    for _ in 0..300 {
        if desk.number("SELECT count(*) FROM event_outbox").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("told events stay in the outbox");
}

#[tokio::test]
async fn the_end_of_an_account_is_told() {
    let desk = Desk::open().await;
    desk.customer("ada@example.com").await;
    let id = desk.id_of("ada@example.com").await;
    let (access, _) = desk.log_in("ada@example.com", PASSWORD).await;
    let goodbye = Some(json!({"current_password": PASSWORD}));
    desk.call(axum::http::Method::DELETE, "/v1/users/me", Some(&access), goodbye).await.expect(204);
    let events = heard(&desk, 2).await;
    assert_eq!((events[1].kind.as_str(), &events[1].data), ("user.erased", &json!({"id": id})));
}

#[tokio::test]
async fn a_buyer_gets_each_letter_once_and_strangers_none() {
    let desk = Desk::open().await;
    desk.customer("ada@example.com").await;
    let user_id = desk.id_of("ada@example.com").await;
    let notice = |kind: NoticeKind, user_id: i32| OrderNotice {
        event_id: Uuid::now_v7(),
        user_id,
        kind,
        orders: vec![12, 13],
        amount: 2_550,
        currency: "USD".to_owned(),
    };
    let notices = vec![
        notice(NoticeKind::Paid, user_id),
        notice(NoticeKind::Shipped, user_id),
        notice(NoticeKind::Refunded, user_id),
        notice(NoticeKind::Paid, 4_711),
    ];
    for _ in 0..3 {
        desk.users.notify(notices.clone()).await.unwrap();
    }
    let paid = desk.letter("ada@example.com", "order_paid").await;
    assert!(paid.contains("Order 12") && paid.contains("Order 13") && paid.contains("25.50 USD"), "{paid}");
    desk.letter("ada@example.com", "order_shipped").await;
    desk.letter("ada@example.com", "order_refunded").await;
    desk.all_mail_left().await;
    assert_eq!(desk.number("SELECT count(*) FROM mails WHERE event_id IS NOT NULL").await, 3);
    assert_eq!(desk.letters("ada@example.com", "order_paid").len(), 1);
}

#[tokio::test]
async fn a_mountain_of_letters_about_orders_delays_no_verification() {
    let desk = Desk::open_without_jobs(|_| {}).await;
    desk.users.create_admin("boss@example.com", PASSWORD).await.unwrap();
    desk.run(
        "INSERT INTO mails (event_id, kind, recipient, subject, body, next_attempt_at) \
         SELECT gen_random_uuid(), 'order_paid', 'boss@example.com', 's', 'b', now() - interval '1 hour' \
         FROM generate_series(1, 5000)",
    )
    .await;
    desk.post("/v1/users", json!({"email": "ada@example.com", "password": PASSWORD})).await.expect(202);
    let claim = include_str!("../../queries/claim_mails.sql");
    let claimed = desk.db.rows(claim, &[&8_i64]).await.unwrap();
    assert!(claimed.iter().any(|row| row.get::<_, &str>("kind") == "verification"));
}
