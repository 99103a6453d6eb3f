//! How often one may change something: by account, by address, and never by what somebody says of oneself.

use std::time::Duration;

use estore_testkit::client::{Answer, CARD_APPROVED, Client};
use estore_testkit::shop::{INVENTORY, PASSWORD, Processes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::own_shop;

/// Far more requests than any budget here holds.
const MANY: usize = 30;

/// Two a minute: half a minute is enough for three requests on any machine.
const LIMITED: [(&str, &str); 3] = [
    ("ESTORE_RATE_LIMITS__ACCOUNT_WRITES", "2"),
    ("ESTORE_RATE_LIMITS__ADDRESS_WRITES", "2"),
    ("ESTORE_RATE_LIMITS__LOG_INS", "2"),
];

/// Sends until it is refused; the refusal, and how many were taken before it.
async fn spend(ask: impl AsyncFn() -> Answer) -> (usize, Answer) {
    for taken in 0..MANY {
        let answer = ask().await;
        if answer.status == 429 {
            return (taken, answer);
        }
    }
    panic!("{MANY} requests were taken");
}

/// A change that is refused for another reason, once it is looked at.
async fn change(client: &Client) -> Answer {
    client.send(Method::DELETE, "/v1/payment-methods/2147483647", None, &[]).await
}

async fn log_in(client: &Client, forwarded_for: &str) -> Answer {
    let body = json!({ "email": "nobody@shop.test", "password": PASSWORD });
    client.send(Method::POST, "/v1/tokens", Some(&body), &[("x-forwarded-for", forwarded_for)]).await
}

fn assert_refusal(answer: &Answer, name: &str) {
    assert_eq!(answer.code(), "rate_limited", "{}", answer.text);
    let wait: u64 = answer.headers["retry-after"].parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(answer.headers["ratelimit"], format!("\"{name}\";r=0;t={wait}"));
    assert_eq!(answer.headers["ratelimit-policy"], format!("\"{name}\";q=2;w=60"));
    assert!(answer.json["detail"].as_str().unwrap().contains(name), "{}", answer.text);
}

#[tokio::test]
async fn too_many_changes_are_refused_by_account_and_by_address() {
    let mut shop = own_shop(Processes::One).await;
    let (admin, first, second) = tokio::join!(Client::admin(&shop), Client::customer(&shop), Client::customer(&shop));
    let product = admin.product(500, 9).await;
    let again = first.clone().logged_in(&first.email.clone()).await;
    shop.restart(0, &LIMITED).await;

    let told = change(&first).await.expect(404);
    assert_eq!(told.headers["ratelimit-policy"], "\"account-writes\";q=2;w=60");
    assert!(told.headers["ratelimit"].starts_with("\"account-writes\";r=1;t="), "{:?}", told.headers);
    let (taken, refusal) = spend(async || change(&first).await).await;
    // One was taken before; half a minute brings another.
    assert!((1..=2).contains(&taken), "{taken}");
    assert_refusal(&refusal, "account-writes");
    // It is the account that is counted, not the token; others are not touched, and whoever only looks is not counted.
    assert_eq!(change(&again).await.status, 429);
    assert_eq!(change(&second).await.status, 404);
    for _ in 0..MANY {
        let looked = first.get("/v1/payment-methods").await.expect(200);
        assert!(!looked.headers.contains_key("ratelimit"));
    }

    let mut visitor = Client::anonymous(&shop);
    let (taken, refusal) = spend(async || change(&visitor).await).await;
    assert!((2..=3).contains(&taken), "{taken}");
    assert_refusal(&refusal, "address-writes");
    // A token that is not good makes nobody somebody else.
    visitor.token = Some("made.up.token".to_owned());
    assert_eq!(change(&visitor).await.status, 429);

    // Who was counted is who the change is written down to.
    let id = admin.get("/v1/users/me").await.expect(200).id();
    let (path, price) = (format!("/v1/products/{product}"), json!({ "price": 700 }));
    let _changed = admin.send(Method::PATCH, &path, Some(&price), &[("x-request-id", "counted")]).await.expect(200);
    let shown: Value =
        serde_json::from_str(&shop.estore(&["audit", "show", "--request", "counted", "--json"], "")).unwrap();
    assert_eq!(shown["changes"][0]["user_id"], id, "{shown:#}");

    // Whoever runs the shop sees how many were turned away.
    let token = std::fs::read_to_string(shop.address.data_dir.join("secrets/metrics-token")).unwrap();
    visitor.token = Some(token.trim().to_owned());
    let figures = visitor.get("/metrics").await.expect(200).text;
    assert!(figures.contains("estore_requests_limited_total{limit=\"account_writes\"} 2\n"), "{figures}");
    assert!(figures.contains("estore_requests_limited_total{limit=\"address_writes\"} 2\n"), "{figures}");

    // Log-ins count by address whatever comes with them; an address that is only claimed is not believed.
    let (taken, refusal) = spend(async || log_in(&first, "203.0.113.9").await).await;
    assert!((2..=3).contains(&taken), "{taken}");
    assert_refusal(&refusal, "log-ins");
    assert_eq!(log_in(&Client::anonymous(&shop), "203.0.113.10").await.status, 429);
}

#[tokio::test]
async fn the_word_of_a_trusted_proxy_is_taken() {
    let mut shop = own_shop(Processes::One).await;
    let proxies = ("ESTORE_EDGE__TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#);
    shop.restart(0, &[LIMITED.as_slice(), &[proxies]].concat()).await;
    let visitor = Client::anonymous(&shop);
    let (_, refusal) = spend(async || log_in(&visitor, "198.51.100.1, 203.0.113.9").await).await;
    assert_refusal(&refusal, "log-ins");
    assert_eq!(log_in(&visitor, "198.51.100.2, 203.0.113.9").await.status, 429, "what a client claims does not count");
    assert_eq!(log_in(&visitor, "203.0.113.10").await.status, 401);
}

#[tokio::test]
async fn a_limit_of_a_route_that_there_is_not_is_refused_at_the_start() {
    let shop = own_shop(Processes::One).await;
    let file = shop.address.data_dir.join("limits.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "[rate_limits.routes]\n\"POST /v1/checkout\" = 5\n").unwrap();
    let (ok, _, told) = shop.try_estore(&["serve", "all", "--listen", "127.0.0.1:0", "--config", path], "");
    assert!(!ok && told.contains("there is no \"POST /v1/checkout\" here"), "{told}");
}

#[tokio::test]
async fn services_are_not_counted_by_each_other() {
    let mut shop = own_shop(Processes::Three).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let (product, card) = (admin.product(500, 9).await, buyer.card(CARD_APPROVED).await);
    let one = [("ESTORE_RATE_LIMITS__ADDRESS_WRITES", "1"), ("ESTORE_RATE_LIMITS__LOG_INS", "1")];
    shop.restart(INVENTORY, &one).await;
    for key in ["one", "two", "three", "four"] {
        let _bought = buyer.order(key, product, 1, card).await.expect(201);
    }
    let begun = std::time::Instant::now();
    while admin.get(&format!("/v1/products/{product}")).await.json["quantity"] != 5 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the stock that is shown is old");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
