use serde_json::{Value, json};

use crate::shop::{Shop, id, without_moment};

#[tokio::test]
async fn a_product_is_made_read_and_changed() {
    let shop = Shop::open().await;
    let category = shop.category("Garden", None).await;
    let made = shop.admin("POST", "/v1/products", json!({
        "name": "Spade", "description": "Digs", "price": 1250, "quantity": 7, "category_id": category,
        "image_url": "https://example.org/spade.jpg", "min_stock_level": 2, "metadata": {"weight": 1.5, "tags": ["a"]},
    })).await;
    let (edition, body) = (made.etag.clone().unwrap(), made.expect(201));
    assert_eq!(body["metadata"], json!({"weight": 1.5, "tags": ["a"]}));
    let path = format!("/v1/products/{}", id(&body));
    let read = shop.get(&path).await;
    assert_eq!((read.etag.as_ref(), without_moment(read.json)), (Some(&edition), without_moment(body)));
    let change = json!({"price": 1300, "description": null, "metadata": {}});
    let changed = shop.admin_if("PATCH", &path, Some(&edition), change.clone()).await;
    let body = changed.expect(200);
    assert_eq!(
        (body["price"].as_i64(), &body["description"], &body["metadata"]),
        (Some(1300), &Value::Null, &json!({}))
    );
    assert_eq!((body["name"].as_str(), body["quantity"].as_i64()), (Some("Spade"), Some(7)));
    shop.admin_if("PATCH", &path, Some(&edition), change).await.expect_problem(412, "edition_changed", "");
    shop.admin_if("PATCH", &path, Some("*"), json!({"name": "Shovel"})).await.expect(200);
    shop.verify().await;
}

#[tokio::test]
async fn stock_moves_make_no_new_edition() {
    let shop = Shop::open().await;
    let path = format!("/v1/products/{}", shop.product("Spade", 1, 5).await);
    let before = shop.get(&path).await.etag.unwrap();
    shop.admin("POST", &format!("{path}/stock"), json!({"delta": 1, "reason": "delivery"})).await.expect(200);
    let after = shop.get(&path).await.etag.unwrap();
    assert_ne!(before, after, "the tag names the quantity");
    shop.admin_if("PATCH", &path, Some(&before), json!({"price": 2})).await.expect(200);
    shop.admin_if("PATCH", &path, Some(&after), json!({"price": 3})).await.expect_problem(412, "edition_changed", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_edits_of_one_edition_one_wins() {
    let shop = Shop::open().await;
    let path = format!("/v1/products/{}", shop.product("Spade", 1, 5).await);
    for _ in 0..10 {
        let edition = shop.get(&path).await.etag.unwrap();
        let (one, other) = tokio::join!(
            shop.admin_if("PATCH", &path, Some(&edition), json!({"price": 2})),
            shop.admin_if("PATCH", &path, Some(&edition), json!({"price": 3})),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
}

#[tokio::test]
async fn what_is_not_for_sale_is_hidden_from_shoppers() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1250, 7).await;
    let path = format!("/v1/products/{product}");
    for _ in 0..2 {
        shop.admin("DELETE", &path, Value::Null).await.expect(204);
    }
    shop.get(&path).await.expect_problem(404, "not_found", "");
    shop.customer("GET", &path, Value::Null).await.expect(404);
    assert_eq!(shop.get("/v1/products").await.expect(200)["data"], json!([]));
    assert_eq!(shop.get("/v1/products?is_active=false").await.expect(200)["data"], json!([]));
    assert_eq!(shop.admin("GET", &path, Value::Null).await.expect(200)["is_active"], false);
    let seen = shop.admin("GET", "/v1/products?is_active=false", Value::Null).await.expect(200);
    assert_eq!(seen["data"].as_array().unwrap().len(), 1);
    shop.admin("PATCH", &path, json!({"is_active": true})).await.expect(200);
    shop.get(&path).await.expect(200);
}

#[tokio::test]
async fn bad_fields_are_named_and_nothing_is_made() {
    let shop = Shop::open().await;
    let bad = [
        (json!({"price": 1}), "/name"),
        (json!({"name": "", "price": 1}), "/name"),
        (json!({"name": "x".repeat(256), "price": 1}), "/name"),
        (json!({"name": "a\u{7}", "price": 1}), "/name"),
        (json!({"name": "A", "price": -1}), "/price"),
        (json!({"name": "A", "price": 2_147_483_648_u32}), "/price"),
        (json!({"name": "A", "price": 1.5}), "/price"),
        (json!({"name": "A", "price": 1, "quantity": -1}), "/quantity"),
        (json!({"name": "A", "price": 1, "min_stock_level": -1}), "/min_stock_level"),
        (json!({"name": "A", "price": 1, "category_id": 99}), "/category_id"),
        (json!({"name": "A", "price": 1, "image_url": "javascript:x"}), "/image_url"),
        (json!({"name": "A", "price": 1, "image_url": format!("https://e.org/{}", "x".repeat(255))}), "/image_url"),
        (json!({"name": "A", "price": 1, "metadata": [1]}), "/metadata"),
        (json!({"name": "A", "price": 1, "metadata": {"a": "x".repeat(16 * 1024)}}), "/metadata"),
        (json!({"name": "A", "price": 1, "metadata": {"a": "\u{0}"}}), "/metadata/a"),
        (json!({"name": "A", "price": 1, "colour": "red"}), "/colour"),
    ];
    for (body, pointer) in bad {
        shop.admin("POST", "/v1/products", body).await.expect_problem(422, "validation_failed", pointer);
    }
    let product = shop.product("Spade", 1, 1).await;
    let path = format!("/v1/products/{product}");
    let bad = [
        (json!({"quantity": 5}), "/quantity"),
        (json!({"category_id": 99}), "/category_id"),
        (json!({"name": " "}), "/name"),
        (json!({"price": -1}), "/price"),
    ];
    for (body, pointer) in bad {
        shop.admin("PATCH", &path, body).await.expect_problem(422, "validation_failed", pointer);
    }
    let all = shop.admin("GET", "/v1/products", Value::Null).await.expect(200);
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    shop.get("/v1/products/x").await.expect_problem(400, "invalid_parameter", "path");
    shop.get("/v1/products/99999999999").await.expect(400);
    shop.customer("POST", "/v1/products", json!({"name": "A", "price": 1})).await.expect(403);
}

#[tokio::test]
async fn products_are_never_deleted_even_by_hand() {
    let shop = Shop::open().await;
    shop.product("Spade", 1, 1).await;
    let owner = estore_kit::db::Db::new(shop.database.owner_config(), 1).unwrap();
    for sql in ["DELETE FROM products", "DELETE FROM stock_movements", "UPDATE stock_movements SET delta = 5"] {
        assert!(owner.execute(sql, &[]).await.is_err(), "{sql}");
    }
}
