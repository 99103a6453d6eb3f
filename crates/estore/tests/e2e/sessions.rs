//! Sessions that end: their access tokens are refused by every service soon after.

use std::time::{Duration, Instant};

use estore_testkit::client::Client;
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

crate::in_one_and_three!(
    a_logged_out_token_is_refused_everywhere,
    a_deactivated_buyer_is_refused_everywhere,
    a_key_is_taken_by_every_service_until_it_ends,
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
