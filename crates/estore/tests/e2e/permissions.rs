//! Each route for staff takes the permission of its work, and no other does.

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::json;

crate::in_one_and_three!(each_role_may_what_it_is_named_for, a_key_has_no_order_of_its_own);

const CATALOGUE: &str = "catalogue";
const ORDERS: &str = "orders";
const REFUNDS: &str = "refunds";
const USERS: &str = "users";
const OPERATIONS: &str = "operations";

/// A route of each kind, and what it takes. None changes anything: bodies are bad and things unknown.
fn routes() -> Vec<(Method, &'static str, &'static str)> {
    let id = "01900000-0000-7000-8000-000000000001";
    let resolve = |what: &str| -> &'static str { format!("/v1/{what}/{id}/resolve").leak() };
    vec![
        (Method::POST, "/v1/categories", CATALOGUE),
        (Method::PATCH, "/v1/categories/2000000000", CATALOGUE),
        (Method::DELETE, "/v1/categories/2000000000", CATALOGUE),
        (Method::POST, "/v1/products", CATALOGUE),
        (Method::PATCH, "/v1/products/2000000000", CATALOGUE),
        (Method::DELETE, "/v1/products/2000000000", CATALOGUE),
        (Method::POST, "/v1/products/2000000000/stock", CATALOGUE),
        (Method::GET, "/v1/products/2000000000/stock-movements", CATALOGUE),
        (Method::GET, "/v1/products/low-stock?limit=0", CATALOGUE),
        (Method::PUT, "/v1/orders/2000000000/status", ORDERS),
        (Method::GET, "/v1/checkouts/needing-attention", ORDERS),
        (Method::POST, resolve("checkouts"), ORDERS),
        (Method::POST, "/v1/orders/2000000000/refunds", REFUNDS),
        (Method::GET, "/v1/refunds/needing-attention", REFUNDS),
        (Method::POST, resolve("refunds"), REFUNDS),
        (Method::GET, "/v1/disputes", REFUNDS),
        (Method::GET, "/v1/users?limit=1", USERS),
        (Method::GET, "/v1/users/2000000000", USERS),
        (Method::PATCH, "/v1/users/2000000000", USERS),
        (Method::GET, "/v1/webhook-endpoints", OPERATIONS),
        (Method::POST, "/v1/webhook-endpoints", OPERATIONS),
    ]
}

async fn each_role_may_what_it_is_named_for(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let clerk = Client::customer(shop).await;
    let path = format!("/v1/users/{}", clerk.get("/v1/users/me").await.expect(200).id());
    let held: [(&str, &[&str]); 7] = [
        ("staff", &[ORDERS, REFUNDS]),
        (CATALOGUE, &[CATALOGUE]),
        (ORDERS, &[ORDERS]),
        (REFUNDS, &[REFUNDS]),
        (USERS, &[USERS]),
        (OPERATIONS, &[OPERATIONS]),
        ("admin", &[CATALOGUE, ORDERS, REFUNDS, USERS, OPERATIONS]),
    ];
    for (role, permissions) in held {
        let _granted = admin.send(Method::PATCH, &path, Some(&json!({ "roles": [role] })), &[]).await.expect(200);
        let clerk = clerk.clone().logged_in(&clerk.email).await;
        for (method, path, permission) in routes() {
            let body = (method != Method::GET).then(|| json!({ "colour": "red" }));
            let answer = clerk.send(method.clone(), path, body.as_ref(), &[]).await;
            let is_refused = answer.status == 403 && answer.code() == "role_required";
            let may = permissions.contains(&permission);
            assert_eq!(is_refused, !may, "{role}: {method} {path}: {}", answer.text);
            assert!(
                is_refused || answer.status != 401 && answer.status < 500,
                "{role}: {method} {path}: {}",
                answer.text
            );
        }
        // Everybody's orders are for those who handle them or give money back.
        let others = clerk.get("/v1/orders?user_id=2000000000").await;
        let sees = permissions.contains(&ORDERS) || permissions.contains(&REFUNDS);
        assert_eq!(others.status == 200, sees, "{role}: {}", others.text);
    }
    // From the command line as well.
    shop.estore(&["admin", "revoke", "--email", &clerk.email, "admin"], "");
    let told = shop.estore(&["admin", "grant", "--email", &clerk.email, "orders", "refunds"], "");
    assert_eq!(told.trim(), format!("{} has orders, refunds.", clerk.email));
    let clerk = clerk.clone().logged_in(&clerk.email).await;
    let _seen = clerk.get("/v1/disputes").await.expect(200);
    let (ok, _, err) = shop.try_estore(&["admin", "grant", "--email", &clerk.email, "owner"], "");
    assert!(!ok && err.contains("possible values: staff, catalogue"), "{err}");
    let (ok, _, err) = shop.try_estore(&["admin", "grant", "--email", "nobody@shop.test", "orders"], "");
    assert!(!ok && err.contains("has to register first"), "{err}");
}

async fn a_key_has_no_order_of_its_own(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let (product, method) = (admin.product(500, 3).await, admin.card(CARD_APPROVED).await);
    let order = admin.order("the-maker-buys", product, 1, method).await.expect(201).id();
    let cancel = format!("/v1/orders/{order}/cancel");
    for (scope, status) in [(REFUNDS, 404), (ORDERS, 200)] {
        let wish = json!({ "name": scope, "scopes": [scope] });
        let mut program = Client::anonymous(shop);
        program.token = admin.post("/v1/api-keys", &wish).await.expect(201).json["secret"].as_str().map(str::to_owned);
        let _seen = program.get(&format!("/v1/orders/{order}")).await.expect(200);
        let _answer = program.post(&cancel, &json!({})).await.expect(status);
    }
}
