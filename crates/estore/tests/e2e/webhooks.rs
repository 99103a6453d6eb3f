//! A receiver beside the shop hears of everything it asked for, from all three services, and buyers get their letters.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

crate::in_one_and_three!(a_receiver_hears_of_orders_stock_and_customers);

#[derive(Debug, Clone)]
struct Message {
    head: String,
    json: Value,
}

type Messages = Arc<Mutex<Vec<Message>>>;

/// Takes one request after the other on a connection; plain text, so that nothing of the shop's own is trusted here.
async fn receive(mut stream: TcpStream, messages: Messages) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer[..head_end]).to_ascii_lowercase();
        let length: usize = header(&head, "content-length").parse().unwrap();
        while buffer.len() < head_end + length {
            stream.read_buf(&mut buffer).await?;
        }
        let body = buffer[head_end..head_end + length].to_vec();
        buffer.drain(..head_end + length);
        messages.lock().unwrap().push(Message { head, json: serde_json::from_slice(&body).unwrap() });
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
    }
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {head}")).trim().to_owned()
}

async fn receiver() -> (String, Messages) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let messages = Messages::default();
    let room = Arc::clone(&messages);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(receive(stream, Arc::clone(&room)));
        }
    });
    (url, messages)
}

/// The messages that fit, once there are at least so many.
async fn heard(messages: &Messages, count: usize, fits: impl Fn(&Message) -> bool) -> Vec<Message> {
    let begun = Instant::now();
    loop {
        let found: Vec<Message> = messages.lock().unwrap().iter().filter(|one| fits(one)).cloned().collect();
        if found.len() >= count {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{count} wanted, {found:?} came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is(message: &Message, kind: &str) -> bool {
    message.json["type"] == kind
}

async fn a_receiver_hears_of_orders_stock_and_customers(shop: &Shop) {
    let (url, messages) = receiver().await;
    let admin = Client::admin(shop).await;
    let body = json!({ "url": url, "events": ["all"], "description": "a test" });
    let made = admin.post("/v1/webhook-endpoints", &body).await.expect(201);
    assert!(made.json["secret"].as_str().unwrap().starts_with("whsec_"));
    let endpoint = format!("/v1/webhook-endpoints/{}", made.json["id"].as_str().unwrap());

    let buyer = Client::customer(shop).await;
    let buyer_id = buyer.get("/v1/users/me").await.expect(200).id();
    let verified = heard(&messages, 1, |one| is(one, "user.verified") && one.json["data"]["id"] == buyer_id).await;
    assert!(header(&verified[0].head, "webhook-signature").starts_with("v1,"));

    let product = admin.product(1_250, 5).await;
    let path = format!("/v1/products/{product}");
    let _level = admin.send(Method::PATCH, &path, Some(&json!({ "min_stock_level": 3 })), &[]).await.expect(200);
    let method = buyer.card(CARD_APPROVED).await;
    let order = buyer.order(&Uuid::now_v7().to_string(), product, 2, method).await.expect(201).id();
    let low = heard(&messages, 1, |one| is(one, "product.low_stock") && one.json["data"]["id"] == product).await;
    assert_eq!(low[0].json["data"]["quantity"], 3);
    for status in ["processing", "shipped"] {
        let (path, body) = (format!("/v1/orders/{order}/status"), json!({ "status": status }));
        let _moved = admin.send(Method::PUT, &path, Some(&body), &[]).await.expect(200);
    }
    let of_order = |one: &Message| {
        one.json["type"].as_str().is_some_and(|kind| kind.starts_with("order.")) && one.json["data"]["id"] == order
    };
    let told = heard(&messages, 3, of_order).await;
    let kinds: Vec<&str> = told.iter().map(|one| one.json["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["order.created", "order.paid", "order.shipped"]);
    assert_eq!(told[1].json["data"]["total_amount"], 2_500);
    assert_eq!(header(&told[1].head, "webhook-id"), told[1].json["id"].as_str().unwrap());

    let delivered = admin.get(&format!("{endpoint}/deliveries?state=delivered&limit=100")).await.expect(200);
    assert!(delivered.json["data"].as_array().unwrap().len() >= 4, "{}", delivered.text);
    let paid = shop.mail_holding(&buyer.email, "Paid: 25.00").await;
    assert!(paid.contains(&format!("Order {order}")), "{paid}");
    let _shipped = shop.mail_holding(&buyer.email, "is on its way.").await;
    let _hidden = buyer.get("/v1/webhook-endpoints").await.expect(403);
    let _deleted = admin.send(Method::DELETE, &endpoint, None, &[]).await.expect(204);
}
