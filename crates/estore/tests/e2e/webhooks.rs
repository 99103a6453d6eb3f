//! A receiver beside the shop hears of everything it asked for, from all three services, and buyers get their letters.

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::receiver::{Message, Receiver};
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

crate::in_one_and_three!(a_receiver_hears_of_orders_stock_and_customers);

async fn a_receiver_hears_of_orders_stock_and_customers(shop: &Shop) {
    let receiver = Receiver::start().await;
    let admin = Client::admin(shop).await;
    let body = json!({ "url": receiver.url, "events": ["all"], "description": "a test" });
    let made = admin.post("/v1/webhook-endpoints", &body).await.expect(201);
    assert!(made.json["secret"].as_str().unwrap().starts_with("whsec_"));
    let endpoint = format!("/v1/webhook-endpoints/{}", made.json["id"].as_str().unwrap());

    let buyer = Client::customer(shop).await;
    let buyer_id = buyer.get("/v1/users/me").await.expect(200).id();
    let verified = receiver.heard(1, |one| one.is("user.verified") && one.json["data"]["id"] == buyer_id).await;
    assert!(verified[0].header("webhook-signature").starts_with("v1,"));

    let product = admin.product(1_250, 5).await;
    let path = format!("/v1/products/{product}");
    let _level = admin.send(Method::PATCH, &path, Some(&json!({ "min_stock_level": 3 })), &[]).await.expect(200);
    let method = buyer.card(CARD_APPROVED).await;
    let order = buyer.order(&Uuid::now_v7().to_string(), product, 2, method).await.expect(201).id();
    let low = receiver.heard(1, |one| one.is("product.low_stock") && one.json["data"]["id"] == product).await;
    assert_eq!(low[0].json["data"]["quantity"], 3);
    for status in ["processing", "shipped"] {
        let (path, body) = (format!("/v1/orders/{order}/status"), json!({ "status": status }));
        let _moved = admin.send(Method::PUT, &path, Some(&body), &[]).await.expect(200);
    }
    let of_order = |one: &Message| {
        one.json["type"].as_str().is_some_and(|kind| kind.starts_with("order.")) && one.json["data"]["id"] == order
    };
    let told = receiver.heard(3, of_order).await;
    let kinds: Vec<&str> = told.iter().map(|one| one.json["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.created", "order.paid", "order.shipped"]);
    assert_eq!(told[1].json["data"]["total_amount"], 2_500);
    assert_eq!(told[1].header("webhook-id"), told[1].json["id"].as_str().unwrap());

    let delivered = admin.get(&format!("{endpoint}/deliveries?state=delivered&limit=100")).await.expect(200);
    assert!(delivered.json["data"].as_array().unwrap().len() >= 4, "{}", delivered.text);
    let paid = shop.mail_holding(&buyer.email, "Paid: 25.00").await;
    assert!(paid.contains(&format!("Order {order}")), "{paid}");
    let _shipped = shop.mail_holding(&buyer.email, "is on its way.").await;
    let _hidden = buyer.get("/v1/webhook-endpoints").await.expect(403);
    let _deleted = admin.send(Method::DELETE, &endpoint, None, &[]).await.expect(204);
}
