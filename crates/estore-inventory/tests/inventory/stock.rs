use estore_api::inventory::{HoldOutcome, InventoryApi, RestockLine};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{ADMIN_ID, Shop};

#[tokio::test]
async fn stock_is_changed_by_a_difference_or_to_a_number() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1, 5).await;
    let path = format!("/v1/products/{product}/stock");
    let level = shop.admin("POST", &path, json!({"delta": -2, "reason": "broken"})).await.expect(200);
    assert_eq!((level["quantity"].as_i64(), level["movement"]["delta"].as_i64()), (Some(3), Some(-2)));
    assert_eq!(level["movement"]["actor_user_id"], ADMIN_ID);
    let level = shop.admin("POST", &path, json!({"quantity": 10, "reason": "counted"})).await.expect(200);
    assert_eq!((level["quantity"].as_i64(), level["movement"]["delta"].as_i64()), (Some(10), Some(7)));
    let level = shop.admin("POST", &path, json!({"quantity": 10, "reason": "counted"})).await.expect(200);
    assert_eq!(level["movement"], Value::Null);
    shop.admin("POST", &path, json!({"delta": -11, "reason": "x"})).await.expect_problem(409, "out_of_stock", "");
    let overflow = shop.admin("POST", &path, json!({"delta": i32::MAX, "reason": "x"})).await;
    overflow.expect_problem(422, "validation_failed", "/delta");
    let unknown = shop.admin("POST", "/v1/products/999/stock", json!({"delta": 1, "reason": "x"})).await;
    unknown.expect(404);
    for body in [
        json!({"reason": "x"}),
        json!({"delta": 1, "quantity": 1, "reason": "x"}),
        json!({"delta": 0, "reason": "x"}),
        json!({"quantity": -1, "reason": "x"}),
        json!({"delta": 1, "reason": ""}),
        json!({"delta": 1}),
    ] {
        shop.admin("POST", &path, body).await.expect(422);
    }
    assert_eq!(shop.quantity(product).await, 10);
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_lose_nothing() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1, 0).await;
    let path = format!("/v1/products/{product}/stock");
    let changes = (0..40).map(|_| shop.admin("POST", &path, json!({"delta": 2, "reason": "delivery"})));
    for answer in futures_util::future::join_all(changes).await {
        answer.expect(200);
    }
    assert_eq!(shop.quantity(product).await, 80);
    shop.verify().await;
}

#[tokio::test]
async fn movements_tell_the_whole_story_newest_first() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1, 5).await;
    shop.hold(Uuid::now_v7(), &[(product, 2)]).await;
    shop.admin("POST", &format!("/v1/products/{product}/stock"), json!({"delta": 4, "reason": "delivery"})).await;
    let path = format!("/v1/products/{product}/stock-movements");
    let first = shop.admin("GET", &format!("{path}?limit=2"), Value::Null).await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = shop.admin("GET", &format!("{path}?limit=2&cursor={cursor}"), Value::Null).await.expect(200);
    let all = [first["data"].as_array().unwrap().clone(), second["data"].as_array().unwrap().clone()].concat();
    let story: Vec<_> = all.iter().map(|m| (m["kind"].as_str().unwrap(), m["delta"].as_i64().unwrap())).collect();
    assert_eq!(story, [("adjustment", 4), ("hold", -2), ("initial", 5)]);
    assert_eq!(second["next_cursor"], Value::Null);
    shop.admin("GET", "/v1/products/999/stock-movements", Value::Null).await.expect(404);
    shop.get(&path).await.expect(401);
    shop.customer("GET", &path, Value::Null).await.expect(403);
}

#[tokio::test]
async fn low_stock_is_listed() {
    let shop = Shop::open().await;
    let make = async |name: &str, quantity: i32, level: i32| {
        let body = json!({"name": name, "price": 1, "quantity": quantity, "min_stock_level": level});
        shop.admin("POST", "/v1/products", body).await.expect(201)
    };
    make("Plenty", 10, 5).await;
    make("Just enough", 5, 5).await;
    make("None", 0, 0).await;
    let gone = make("Gone", 0, 5).await;
    shop.admin("DELETE", &format!("/v1/products/{}", gone["id"]), Value::Null).await.expect(204);
    let first = shop.admin("GET", "/v1/products/low-stock?limit=1", Value::Null).await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = shop.admin("GET", &format!("/v1/products/low-stock?cursor={cursor}"), Value::Null).await.expect(200);
    assert_eq!(first["data"][0]["name"], "Just enough");
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    assert_eq!(second["data"][0]["name"], "None");
    shop.get("/v1/products/low-stock").await.expect(401);
}

/// A shelf of a billion is sold and filled again until what is out is more than the column holds: it must still come back.
#[tokio::test]
async fn what_was_sold_can_always_come_back() {
    const BILLION: i32 = 1_000_000_000;
    let shop = Shop::open().await;
    let post = |body: Value| shop.admin("POST", "/v1/products", body);
    let beyond = post(json!({"name": "Screw", "price": 0, "quantity": BILLION + 1})).await;
    beyond.expect_problem(422, "validation_failed", "/quantity");
    let refused = shop.import(format!("name,price,quantity\nScrew,1.00,{}\n", BILLION + 1)).await.expect(422);
    assert_eq!(refused["errors"][0]["pointer"], "line 2, column quantity");
    let product = shop.product("Screw", 0, BILLION).await;
    let path = format!("/v1/products/{product}/stock");
    shop.admin("POST", &path, json!({"delta": 1, "reason": "x"})).await.expect_problem(
        422,
        "validation_failed",
        "/delta",
    );

    let checkouts: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    for checkout in &checkouts {
        assert!(matches!(shop.hold(*checkout, &[(product, BILLION)]).await, HoldOutcome::Held { .. }));
        shop.admin("POST", &path, json!({"quantity": BILLION, "reason": "delivery"})).await.expect(200);
    }
    shop.inventory.release(checkouts[..3].to_vec()).await.unwrap();
    assert_eq!(shop.quantity(product).await, i64::from(i32::MAX), "what does not fit is written off");
    shop.verify().await;
    let back = |order_id: i32, checkout: usize| RestockLine {
        order_id,
        checkout_id: checkouts[checkout],
        product_id: product,
        quantity: BILLION,
    };
    shop.inventory.restock(vec![back(1, 3), back(2, 4)]).await.unwrap();
    assert_eq!(shop.quantity(product).await, i64::from(i32::MAX));
    shop.verify().await;
    shop.admin("POST", &path, json!({"delta": -7, "reason": "counted"})).await.expect(200);
    shop.admin("POST", &path, json!({"delta": 1, "reason": "x"})).await.expect(422);
    let exported = shop.admin("GET", "/v1/products/export", Value::Null).await;
    let report = shop.import(exported.text).await.expect(200);
    assert_eq!(report["unchanged"], 1, "an export is always importable: {report}");
}
