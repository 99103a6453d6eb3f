//! Bad input gets a clear problem naming the field, and leaves nothing half done.

use estore_testkit::client::{Answer, CARD_APPROVED, Client};
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

crate::in_one_and_three!(
    checkouts_that_cannot_be,
    cards_that_cannot_be,
    text_that_cannot_be_stored,
    bodies_that_cannot_be_read,
    every_error_is_a_problem,
);

fn is_problem(answer: &Answer) {
    let kind = answer.headers.get("content-type").map_or("", String::as_str);
    assert_eq!(kind, "application/problem+json", "{} {}", answer.status, answer.text);
    for field in ["type", "title", "status", "detail", "code", "request_id"] {
        assert!(!answer.json[field].is_null(), "no {field} in {}", answer.text);
    }
    assert_eq!(answer.json["request_id"].as_str(), answer.headers.get("x-request-id").map(String::as_str));
}

async fn checkouts_that_cannot_be(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(1_000_000, 1_000_000).await;
    let inactive = admin.product(100, 10).await;
    let _gone = admin.send(Method::DELETE, &format!("/v1/products/{inactive}"), None, &[]).await.expect(204);
    let line = |product: i64, quantity: Value| json!({ "product_id": product, "quantity": quantity });
    let many: Vec<Value> = (0..2_001).map(|n| line(product + n, json!(1))).collect();
    let cases = [
        (json!([]), "/lines"),
        (json!(many), "/lines"),
        (json!([line(product, json!(1)), line(2_147_483_647, json!(1))]), "/lines/1"),
        (json!([line(inactive, json!(1))]), "/lines/0"),
        (json!([line(product, json!(0))]), "/lines/0/quantity"),
        (json!([line(product, json!(-3))]), "/lines/0/quantity"),
        (json!([line(product, json!(9_999_999_999_i64))]), "/lines/0/quantity"),
        (json!([line(product, json!("2"))]), "/lines/0/quantity"),
        (json!([line(product, json!(5_000))]), "/lines/0"),
    ];
    for (lines, pointer) in cases {
        let body = json!({ "lines": lines, "payment_method_id": method });
        let key = Uuid::now_v7().to_string();
        let answer = buyer.send(Method::POST, "/v1/checkouts", Some(&body), &[("idempotency-key", &key)]).await;
        is_problem(&answer);
        assert_eq!(answer.status, 422, "{pointer}: {}", answer.text);
        assert!(answer.pointers().iter().any(|at| at.starts_with(pointer)), "{pointer}: {}", answer.text);
    }
    for key in ["", &"k".repeat(256)] {
        let body = json!({ "product_id": product, "quantity": 1, "payment_method_id": method });
        let answer = buyer.send(Method::POST, "/v1/orders", Some(&body), &[("idempotency-key", key)]).await;
        is_problem(&answer);
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    assert_eq!(buyer.get("/v1/orders").await.expect(200).json["data"].as_array().unwrap().len(), 0);
    assert_eq!(admin.get(&format!("/v1/products/{product}")).await.json["quantity"], 1_000_000);
}

async fn cards_that_cannot_be(shop: &Shop) {
    let buyer = Client::customer(shop).await;
    let cases = [
        ("4242424242424241", 12, 2035, "123", "card_number"),
        ("4242", 12, 2035, "123", "card_number"),
        ("4242424242424242", 1, 2020, "123", "expiry"),
        ("4242424242424242", 13, 2035, "123", "expiry_month"),
        ("4242424242424242", 12, 2035, "12", "cvc"),
    ];
    for (number, month, year, cvc, field) in cases {
        let details = json!({ "card_number": number, "expiry_month": month, "expiry_year": year, "cvc": cvc });
        let body = json!({ "payment_type": "card", "details": details });
        let answer = buyer.post("/v1/payment-methods", &body).await.expect(422);
        is_problem(&answer);
        assert!(answer.pointers().iter().any(|at| at.contains(field)), "{field}: {}", answer.text);
        assert!(!answer.text.contains(number), "a card number is never said again: {}", answer.text);
    }
    let first = buyer.card(CARD_APPROVED).await;
    assert_eq!(buyer.card("4242424242424242").await, first, "the same card again is the same method");
}

async fn text_that_cannot_be_stored(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let product = |name: &str| json!({ "name": name, "price": 1, "quantity": 1 });
    for name in ["a\u{0}b", &"n".repeat(256), "", "   "] {
        let answer = admin.post("/v1/products", &product(name)).await.expect(422);
        is_problem(&answer);
        assert_eq!(answer.pointers(), ["/name"], "{}", answer.text);
    }
    let nested = json!({ "name": "x", "price": 1, "quantity": 1, "metadata": { "a": "b\u{0}" } });
    assert_eq!(admin.post("/v1/products", &nested).await.expect(422).pointers(), ["/metadata/a"]);
    let surrogate = br#"{"name":"\ud800","price":1,"quantity":1}"#.to_vec();
    let answer = admin.send_raw(Method::POST, "/v1/products", "application/json", surrogate).await;
    is_problem(&answer);
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text);
    for name in ["👩‍👩‍👧‍👦 Löffel", "قميص قطني", &"ü".repeat(255)] {
        assert_eq!(admin.post("/v1/products", &product(name)).await.expect(201).json["name"], name);
    }
    let answer = admin.get("/v1/products?q=a%00b").await.expect(400);
    is_problem(&answer);
}

async fn bodies_that_cannot_be_read(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let deep = format!("{{\"metadata\":{}1{}}}", "{\"a\":".repeat(1_000), "}".repeat(1_000));
    let cases: [(&str, Vec<u8>, u16); 6] = [
        ("application/json", b"{".to_vec(), 400),
        ("application/json", Vec::new(), 400),
        ("application/json", deep.into_bytes(), 400),
        ("application/json", vec![b' '; 10 * 1024 * 1024], 413),
        ("text/plain", b"{}".to_vec(), 415),
        ("application/json", br#"{"name":"x","price":1,"quantity":1,"colour":"red"}"#.to_vec(), 422),
    ];
    for (kind, body, status) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = admin.send_raw(Method::POST, "/v1/products", kind, body).await;
        assert_eq!(answer.status, status, "{shown}: {}", answer.text);
        is_problem(&answer);
    }
}

async fn every_error_is_a_problem(shop: &Shop) {
    let (anonymous, buyer) = (Client::anonymous(shop), Client::customer(shop).await);
    let cases = [
        (Method::GET, "/v1/nowhere", 404),
        (Method::GET, "/v1/products/2147483647", 404),
        (Method::GET, "/v1/products/one", 400),
        (Method::GET, "/v1/products?limit=0", 400),
        (Method::GET, "/v1/products?limit=many", 400),
        (Method::GET, "/v1/products?colour=red", 400),
        (Method::GET, "/v1/products?cursor=xyz", 400),
        (Method::GET, "/v1/products?metadata=%7B", 400),
        (Method::GET, "/v1/orders", 401),
        (Method::DELETE, "/v1/categories", 405),
    ];
    for (method, path, status) in cases {
        let answer = anonymous.send(method, path, None, &[]).await;
        is_problem(&answer);
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    let answer = buyer.post("/v1/products", &json!({ "name": "x", "price": 1 })).await.expect(403);
    is_problem(&answer);
    let mut forged = Client::anonymous(shop);
    forged.token = Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.".to_owned());
    is_problem(&forged.get("/v1/orders").await.expect(401));
}
