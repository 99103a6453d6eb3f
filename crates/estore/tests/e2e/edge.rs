//! What every answer tells browsers and caches, by kind of route.

use estore_testkit::client::{Answer, Client};
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::json;

crate::in_one_and_three!(every_kind_of_answer_has_its_headers);

/// Who may keep an answer.
const NOBODY: &str = "no-store";
const WHO_ASKS_ANEW: &str = "no-cache";

fn assert_headers(what: &str, answer: &Answer, kept_by: &str) {
    let header = |name: &str| answer.headers.get(name).map_or("", String::as_str);
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(header("cache-control"), kept_by, "{what}");
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    let runs = policy.contains("script-src");
    assert!(!runs || what.contains("/docs"), "{what}: {policy}");
    assert!(!header("x-request-id").is_empty(), "{what}");
    // Without TLS nothing is said of it, and nobody's pages may call where no origin is on the list.
    assert_eq!(header("strict-transport-security"), "", "{what}");
    assert!(answer.headers.keys().all(|name| !name.starts_with("access-control-")), "{what}: {:?}", answer.headers);
}

async fn every_kind_of_answer_has_its_headers(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let visitor = Client::anonymous(shop);
    let product = admin.product(500, 3).await;
    let path = format!("/v1/products/{product}");
    for (who, client, path, status, kept_by) in [
        ("visitor", &visitor, path.as_str(), 200, WHO_ASKS_ANEW),
        ("customer", &buyer, path.as_str(), 200, WHO_ASKS_ANEW),
        ("visitor", &visitor, "/v1/products?limit=1", 200, WHO_ASKS_ANEW),
        ("visitor", &visitor, "/v1/categories", 200, WHO_ASKS_ANEW),
        ("visitor", &visitor, "/.well-known/jwks.json", 200, "public, max-age=300"),
        ("visitor", &visitor, "/openapi.json", 200, WHO_ASKS_ANEW),
        ("visitor", &visitor, "/docs/", 200, WHO_ASKS_ANEW),
        ("visitor", &visitor, "/docs/swagger-ui.css", 200, WHO_ASKS_ANEW),
        ("visitor", &visitor, "/health/ready", 200, WHO_ASKS_ANEW),
        ("visitor", &visitor, "/verify-email?token=x", 200, NOBODY),
        ("visitor", &visitor, "/reset-password?token=x", 200, NOBODY),
        ("visitor", &visitor, "/v1/orders", 401, NOBODY),
        ("visitor", &visitor, "/metrics", 401, NOBODY),
        ("visitor", &visitor, "/nowhere", 404, NOBODY),
        ("visitor", &visitor, "/v1/products?limit=x", 400, NOBODY),
        ("customer", &buyer, "/v1/users/me", 200, NOBODY),
        ("customer", &buyer, "/v1/orders", 200, NOBODY),
        ("customer", &buyer, "/v1/payment-methods", 200, NOBODY),
        ("customer", &buyer, "/v1/users", 403, NOBODY),
        ("administrator", &admin, "/v1/products/export", 200, NOBODY),
    ] {
        let answer = client.get(path).await.expect(status);
        assert_headers(&format!("{path} for a {who}"), &answer, kept_by);
    }
    let tag = visitor.get(&path).await.headers["etag"].clone();
    let known = visitor.send(Method::GET, &path, None, &[("if-none-match", &tag)]).await;
    // The stock may have been read anew; either way a browser asks each time.
    assert!(matches!(known.status, 200 | 304), "{}", known.text);
    assert_headers("a page that the reader has", &known, WHO_ASKS_ANEW);
    let refused = visitor.post("/v1/tokens", &json!({ "email": "nobody@shop.test", "password": "x" })).await;
    assert_headers("a refused log-in", &refused, NOBODY);
    let made = admin.post("/v1/products", &json!({ "name": "Lamp", "price": 5, "quantity": 1 })).await.expect(201);
    assert_headers("a change", &made, NOBODY);
    let wrong_method = visitor.send(Method::DELETE, "/v1/products", None, &[]).await.expect(405);
    assert_headers("a wrong method", &wrong_method, NOBODY);
    // A page elsewhere that asks what it may send is told nothing.
    let asking = [("origin", "https://elsewhere.example"), ("access-control-request-method", "POST")];
    assert_headers("a preflight", &visitor.send(Method::OPTIONS, "/v1/orders", None, &asking).await, NOBODY);
}
