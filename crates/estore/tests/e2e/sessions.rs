//! Who has a session, and sessions that end: their access tokens are refused by every service soon after.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use estore_testkit::client::{Answer, Client, token_of};
use estore_testkit::shop::{PASSWORD, Shop};
use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

crate::in_one_and_three!(
    a_logged_out_token_is_refused_everywhere,
    a_deactivated_buyer_is_refused_everywhere,
    a_key_is_taken_by_every_service_until_it_ends,
    a_log_in_after_a_registration_tells_nobody_whether_the_address_was_free,
    imported_customers_log_in_as_their_file_says,
);

/// A route of each service that looks at the token.
const ROUTES: [&str; 3] = ["/v1/users/me", "/v1/products?limit=1", "/v1/orders"];
/// Long beyond the second that is promised: this is a test of whether, on a machine that may be busy.
const NEVER: Duration = Duration::from_secs(20);

async fn is_refused_everywhere(client: &Client, routes: [&str; 3], codes: &[&str]) {
    let begun = Instant::now();
    for route in routes {
        loop {
            let answer = client.get(route).await;
            if answer.status == 401 {
                assert!(codes.contains(&answer.code()), "{route}: {}", answer.text);
                break;
            }
            assert_eq!(answer.status, 200, "{route}: {}", answer.text);
            assert!(begun.elapsed() < NEVER, "{route} takes the token of a session that has ended");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn a_logged_out_token_is_refused_everywhere(shop: &Shop) {
    let buyer = Client::customer(shop).await;
    let elsewhere = buyer.clone().logged_in(&buyer.email).await;
    for route in ROUTES {
        let _taken = buyer.get(route).await.expect(200);
    }
    let _logged_out = buyer.send(Method::DELETE, "/v1/tokens", None, &[]).await.expect(204);
    is_refused_everywhere(&buyer, ROUTES, &["session_ended"]).await;
    for route in ROUTES {
        let _taken = elsewhere.get(route).await.expect(200);
    }
}

async fn a_deactivated_buyer_is_refused_everywhere(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let id = buyer.get("/v1/users/me").await.expect(200).id();
    for route in ROUTES {
        let _taken = buyer.get(route).await.expect(200);
    }
    let body = json!({ "is_active": false });
    let _gone = admin.send(Method::PATCH, &format!("/v1/users/{id}"), Some(&body), &[]).await.expect(200);
    // The service that keeps the account says more than those who have heard of the session's end.
    is_refused_everywhere(&buyer, ROUTES, &["session_ended", "account_inactive"]).await;
}

async fn a_key_is_taken_by_every_service_until_it_ends(shop: &Shop) {
    let routes = ["/v1/users?limit=1", "/v1/products/low-stock", "/v1/orders?limit=1"];
    let admin = Client::admin(shop).await;
    let wish = json!({ "name": "reports", "scopes": ["users", "catalogue", "orders"] });
    let made = admin.post("/v1/api-keys", &wish).await.expect(201);
    let mut program = Client::anonymous(shop);
    program.token = made.json["secret"].as_str().map(str::to_owned);
    for _ in 0..2 {
        for route in routes {
            let _taken = program.get(route).await.expect(200);
        }
    }
    let refund = json!({ "reason": "no" });
    let refused = program.post("/v1/orders/1/refunds", &refund).await.expect(403);
    assert_eq!(refused.code(), "role_required");
    let path = format!("/v1/api-keys/{}", made.json["id"].as_str().unwrap());
    let _revoked = admin.send(Method::DELETE, &path, None, &[]).await.expect(204);
    is_refused_everywhere(&program, routes, &["api_key_invalid"]).await;
}

/// All that an answer tells but its moment and the id of its request.
fn told(answer: &Answer) -> String {
    let id = answer.headers["x-request-id"].as_str();
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers: BTreeMap<_, _> = headers.collect();
    format!("{} {headers:?} {}", answer.status, answer.text).replace(id, "…")
}

async fn a_log_in_after_a_registration_tells_nobody_whether_the_address_was_free(shop: &Shop) {
    let (stranger, taken) = (Client::anonymous(shop), Client::customer(shop).await.email);
    let free = taken.replace("buyer", "nobody");
    for path in ["/v1/users", "/v1/tokens", "/v1/tokens"] {
        let ask = async |email: &str| {
            let body = json!({ "email": email, "password": "a mill of many wheels" });
            stranger.post(path, &body).await.expect(if path == "/v1/users" { 202 } else { 401 })
        };
        assert_eq!(told(&ask(&taken).await), told(&ask(&free).await), "{path}");
    }
}

async fn imported_customers_log_in_as_their_file_says(shop: &Shop) {
    let stranger = Client::anonymous(shop);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("customers.csv");
    let [proved, waiting] = ["proved", "waiting"].map(|name| format!("{name}-{}@shop.test", Uuid::now_v7().simple()));
    let rows = format!("email,password,is_verified\n{proved},{PASSWORD},true\n{waiting},{PASSWORD},\n");
    std::fs::write(&file, rows).unwrap();
    let said = shop.estore(&["import", "customers", file.to_str().unwrap()], "");
    assert!(said.starts_with("2 rows: 2 accounts made") && said.contains("\n1 of the new ones log in once"), "{said}");
    let _at_once = stranger.clone().logged_in(&proved).await;
    let log_in = json!({ "email": waiting, "password": PASSWORD });
    let _refused = stranger.post("/v1/tokens", &log_in).await.expect(401);
    let _asked = stranger.post("/v1/users/verify/resend", &json!({ "email": waiting })).await.expect(202);
    let token = token_of(&shop.mail_to(&waiting).await);
    let _proved = stranger.post("/v1/users/verify", &json!({ "token": token })).await.expect(200);
    let _then = stranger.logged_in(&waiting).await;
}
