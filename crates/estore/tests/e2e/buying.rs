//! From a visitor to a delivered order, and back to a refund.

use estore_testkit::client::{CARD_APPROVED, CARD_DECLINED, Client, token_of};
use estore_testkit::shop::{PASSWORD, Shop};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

crate::in_one_and_three!(
    a_visitor_becomes_a_buyer,
    a_checkout_holds_many_lines_or_none,
    the_same_key_gives_the_same_answer,
    a_hundred_repeats_buy_once,
    the_last_unit_is_sold_once,
    a_declined_card_leaves_the_stock,
    an_unknown_charge_is_looked_up,
    a_cancel_gives_stock_and_money_back_once,
    two_refunds_of_sixty_on_a_hundred,
    staff_move_an_order_along,
    orders_are_private,
);

fn key() -> String {
    Uuid::now_v7().to_string()
}

async fn stock(client: &Client, product: i64) -> i64 {
    client.get(&format!("/v1/products/{product}")).await.expect(200).json["quantity"].as_i64().unwrap()
}

async fn a_visitor_becomes_a_buyer(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let product = admin.product(1_250, 10).await;
    let buyer = Client::registered(shop).await;
    let log_in = json!({ "email": buyer.email, "password": PASSWORD });
    let early = buyer.post("/v1/tokens", &log_in).await.expect(401);
    assert_eq!(early.code(), "invalid_credentials");
    assert!(early.text.contains("has not been confirmed yet"), "{}", early.text);

    let mail = shop.mail_to(&buyer.email).await;
    assert!(mail.contains("/verify-email?token="), "{mail}");
    let token = json!({ "token": token_of(&mail) });
    let _verified = buyer.post("/v1/users/verify", &token).await.expect(200);
    assert!(buyer.post("/v1/users/verify", &token).await.status >= 400, "a token works once");

    let email = buyer.email.clone();
    let buyer = buyer.logged_in(&email).await;
    let method = buyer.card(CARD_APPROVED).await;
    let order = buyer.order(&key(), product, 2, method).await.expect(201).json;
    assert_eq!(order["total_amount"], 2_500);
    assert_eq!(order["unit_price"], 1_250);
    assert_eq!(order["status"], "paid");
    assert_eq!(order["product_id"], product);
    assert_eq!(stock(&admin, product).await, 8);
    let id = order["id"].as_i64().unwrap();
    assert_eq!(buyer.get(&format!("/v1/orders/{id}")).await.expect(200).json["total_amount"], 2_500);
    let events = buyer.get(&format!("/v1/orders/{id}/events")).await.expect(200).json;
    assert!(events["data"].as_array().unwrap().len() >= 2, "{events}");
    let card = &buyer.get("/v1/payment-methods").await.expect(200).json["data"][0];
    assert_eq!(card["details"]["last4"], "4242");
    assert!(!card.to_string().contains("42424242"));
}

async fn a_checkout_holds_many_lines_or_none(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let (plenty, scarce) = (admin.product(300, 50).await, admin.product(500, 1).await);
    let lines = json!([{ "product_id": plenty, "quantity": 3 }, { "product_id": scarce, "quantity": 2 }]);
    let body = json!({ "lines": lines, "payment_method_id": method });
    let refused =
        buyer.send(Method::POST, "/v1/checkouts", Some(&body), &[("idempotency-key", &key())]).await.expect(409);
    assert_eq!(refused.code(), "out_of_stock");
    assert!(refused.pointers().iter().any(|pointer| pointer.starts_with("/lines/1")), "{}", refused.text);
    assert_eq!((stock(&admin, plenty).await, stock(&admin, scarce).await), (50, 1));

    // The same product twice is one line.
    let lines = json!([
        { "product_id": plenty, "quantity": 3 },
        { "product_id": scarce, "quantity": 1 },
        { "product_id": plenty, "quantity": 4 },
    ]);
    let body = json!({ "lines": lines, "payment_method_id": method, "metadata": { "gift": true } });
    let bought =
        buyer.send(Method::POST, "/v1/checkouts", Some(&body), &[("idempotency-key", &key())]).await.expect(201);
    assert_eq!(bought.json["total_amount"], 7 * 300 + 500);
    assert_eq!(bought.json["orders"].as_array().unwrap().len(), 2);
    assert_eq!((stock(&admin, plenty).await, stock(&admin, scarce).await), (43, 0));
}

async fn the_same_key_gives_the_same_answer(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(999, 10).await;
    let key = key();
    let first = buyer.order(&key, product, 1, method).await.expect(201);
    let second = buyer.order(&key, product, 1, method).await.expect(201);
    assert_eq!(first.text, second.text);
    assert_eq!(second.headers.get("idempotent-replayed").map(String::as_str), Some("true"));
    let other = buyer.order(&key, product, 2, method).await.expect(422);
    assert_eq!(other.code(), "idempotency_key_reused");
    let body = json!({ "product_id": product, "quantity": 1, "payment_method_id": method });
    assert_eq!(buyer.post("/v1/orders", &body).await.expect(400).code(), "idempotency_key_missing");
    assert_eq!(stock(&admin, product).await, 9);
    // Another customer's key of the same name is another key.
    let stranger = Client::customer(shop).await;
    let card = stranger.card(CARD_APPROVED).await;
    let _bought = stranger.order(&key, product, 2, card).await.expect(201);
}

async fn a_hundred_repeats_buy_once(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 100).await;
    let key = key();
    let answers = futures_util::future::join_all((0..100).map(|_| buyer.order(&key, product, 1, method))).await;
    let created: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!created.is_empty());
    assert!(created.iter().all(|answer| answer.text == created[0].text));
    for other in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((other.status, other.headers.contains_key("retry-after")), (409, true), "{}", other.text);
    }
    assert_eq!(stock(&admin, product).await, 99);
}

async fn the_last_unit_is_sold_once(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 1).await;
    let keys: Vec<String> = (0..60).map(|_| key()).collect();
    let answers = futures_util::future::join_all(keys.iter().map(|key| buyer.order(key, product, 1, method))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 59, "{statuses:?}");
    assert_eq!(stock(&admin, product).await, 0);
}

async fn a_declined_card_leaves_the_stock(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let product = admin.product(100, 5).await;
    let declined = buyer.card(CARD_DECLINED).await;
    let key = key();
    let answer = buyer.order(&key, product, 1, declined).await.expect(402);
    assert_eq!(answer.code(), "card_declined");
    let poor = buyer.card("4000 0000 0000 9995").await;
    assert_eq!(buyer.order(&self::key(), product, 1, poor).await.expect(402).code(), "insufficient_funds");
    assert_eq!(buyer.order(&key, product, 1, declined).await.expect(402).text, answer.text);
    assert_eq!(stock(&admin, product).await, 5);
}

async fn an_unknown_charge_is_looked_up(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let product = admin.product(100, 20).await;
    let silent = buyer.card("4000 0000 0000 0119").await;
    let mut sold = 0;
    for _ in 0..8 {
        let answer = buyer.order(&key(), product, 1, silent).await;
        match answer.status {
            201 => sold += 1,
            503 => assert_eq!(answer.code(), "charge_cut_off"),
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert_eq!(stock(&admin, product).await, 20 - sold);
}

async fn a_cancel_gives_stock_and_money_back_once(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(700, 5).await;
    let order = buyer.order(&key(), product, 3, method).await.expect(201).id();
    let path = format!("/v1/orders/{order}/cancel");
    let body = json!({});
    let cancels = (0..10).map(|_| buyer.post(&path, &body));
    for answer in futures_util::future::join_all(cancels).await {
        assert!(matches!(answer.status, 200 | 409 | 503), "{}: {}", answer.status, answer.text);
    }
    let after = buyer.post(&path, &body).await.expect(200);
    assert_eq!(after.json["status"], "cancelled");
    assert_eq!(stock(&admin, product).await, 5);
}

async fn two_refunds_of_sixty_on_a_hundred(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 5).await;
    let order = buyer.order(&key(), product, 1, method).await.expect(201).id();
    let path = format!("/v1/orders/{order}/refunds");
    let body = json!({ "amount": 60, "reason": "scratched" });
    let _forbidden = buyer.send(Method::POST, &path, Some(&body), &[("idempotency-key", &key())]).await.expect(403);
    let refund = async |key: String| admin.send(Method::POST, &path, Some(&body), &[("idempotency-key", &key)]).await;
    let (first, second) = tokio::join!(refund(key()), refund(key()));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert!(statuses[0] == 201 && matches!(statuses[1], 409 | 422), "{} {}", first.text, second.text);
    let order = buyer.get(&format!("/v1/orders/{order}")).await.expect(200);
    assert_eq!(order.json["status"], "partially_refunded");
}

async fn staff_move_an_order_along(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 5).await;
    let order = buyer.order(&key(), product, 1, method).await.expect(201).id();
    let path = format!("/v1/orders/{order}/status");
    let step = |status: &str| json!({ "status": status });
    let put = async |client: &Client, status: &str| client.send(Method::PUT, &path, Some(&step(status)), &[]).await;
    let _forbidden = put(&buyer, "processing").await.expect(403);
    assert_eq!(put(&admin, "delivered").await.expect(409).code(), "illegal_transition");
    for status in ["processing", "shipped", "delivered"] {
        assert_eq!(put(&admin, status).await.expect(200).json["status"], status);
    }
    let _too_late = buyer.post(&format!("/v1/orders/{order}/cancel"), &json!({})).await.expect(409);
}

async fn orders_are_private(shop: &Shop) {
    let (admin, buyer, stranger) = tokio::join!(Client::admin(shop), Client::customer(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 5).await;
    let order = buyer.order(&key(), product, 1, method).await.expect(201).id();
    for path in [format!("/v1/orders/{order}"), format!("/v1/payment-methods/{method}")] {
        let _hidden = stranger.get(&path).await.expect(404);
        let _anonymous = Client::anonymous(shop).get(&path).await.expect(401);
    }
    assert_eq!(stranger.get("/v1/orders").await.expect(200).json["data"].as_array().unwrap().len(), 0);
    let foreign = stranger.order(&key(), product, 1, method).await;
    assert!(matches!(foreign.status, 404 | 422), "{}", foreign.text);
    assert!(foreign.pointers().contains(&"/payment_method_id"), "{}", foreign.text);
    let _staff = admin.get(&format!("/v1/orders/{order}")).await.expect(200);
    let login = json!({ "email": buyer.email, "password": format!("{PASSWORD}!") });
    assert_eq!(buyer.post("/v1/tokens", &login).await.expect(401).code(), "invalid_credentials");
}
