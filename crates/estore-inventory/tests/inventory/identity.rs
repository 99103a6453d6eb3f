//! What a product and a category are known by, however they came.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Shop, id};

async fn read(shop: &Shop, product: i32) -> Value {
    shop.admin("GET", &format!("/v1/products/{product}"), Value::Null).await.expect(200)
}

#[tokio::test]
async fn an_import_knows_what_was_made_by_hand() {
    let shop = Shop::open().await;
    let post = |body: Value| shop.admin("POST", "/v1/products", body);
    let tap =
        id(&post(json!({"name": "Tap", "price": 100, "quantity": 3, "metadata": {"sku": "T-1"}})).await.expect(201));
    let variant = json!({"handle": "shirt", "options": {"Size": "M", "Colour": "red"}});
    let shirt = id(&post(json!({"name": "Shirt", "price": 900, "metadata": variant})).await.expect(201));

    let report = shop.import("sku,name,price,quantity\nT-1,Brass tap,1.50,5\n").await.expect(200);
    assert_eq!((report["created"].as_i64(), report["updated"].as_i64()), (Some(0), Some(1)), "{report}");
    let after = read(&shop, tap).await;
    assert_eq!((after["name"].as_str(), after["price"].as_i64()), (Some("Brass tap"), Some(150)));
    let shopify = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price\n\
                   shirt,Shirt,Colour,red,Size,M,10.00\nshirt,,,blue,,M,10.00\n";
    let report = shop.import(shopify).await.expect(200);
    assert_eq!((report["created"].as_i64(), report["updated"].as_i64()), (Some(1), Some(1)), "{report}");
    assert_eq!(read(&shop, shirt).await["price"], 1000);
    shop.verify().await;
}

#[tokio::test]
async fn one_sku_is_one_product() {
    let shop = Shop::open().await;
    let post = |metadata: Value| {
        shop.admin("POST", "/v1/products", json!({"name": "Tap", "price": 100, "metadata": metadata}))
    };
    let tap = id(&post(json!({"sku": "T-1"})).await.expect(201));
    post(json!({"sku": "T-1"})).await.expect_problem(409, "product_exists", "/metadata/sku");
    post(json!({"handle": "tap"})).await.expect(201);
    post(json!({"handle": "tap"})).await.expect_problem(409, "product_exists", "/metadata/handle");
    post(json!({"handle": "tap", "options": {"Size": "L"}})).await.expect(201);
    post(json!({"sku": "x".repeat(1_100)})).await.expect_problem(422, "validation_failed", "/metadata");
    for _ in 0..2 {
        post(json!({})).await.expect(201);
        post(json!({"sku": "", "handle": null})).await.expect(201);
    }

    // A product that gets another SKU is known by that one, and no longer by the old one.
    let path = format!("/v1/products/{tap}");
    let other = id(&post(json!({"sku": "T-2"})).await.expect(201));
    let taken = shop.admin("PATCH", &path, json!({"metadata": {"sku": "T-2"}})).await;
    taken.expect_problem(409, "product_exists", "/metadata/sku");
    shop.admin("PATCH", &path, json!({"metadata": {"sku": "T-3"}})).await.expect(200);
    let report = shop.import("sku,name,price\nT-1,Tap,1.00\nT-2,Tap,2.00\nT-3,Tap,3.00\n").await.expect(200);
    assert_eq!((report["created"].as_i64(), report["updated"].as_i64()), (Some(1), Some(2)), "{report}");
    assert_eq!(read(&shop, tap).await["price"], 300);
    assert_eq!(read(&shop, other).await["price"], 200);
    shop.verify().await;
}

#[tokio::test]
async fn a_product_known_by_its_name_stays_so_until_it_has_a_sku() {
    let shop = Shop::open().await;
    let csv = "name,price\nRake,5.00\n";
    shop.import(csv).await.expect(200);
    let found = shop.get("/v1/products?q=rake").await.expect(200);
    let rake = id(&found["data"][0]);
    let path = format!("/v1/products/{rake}");
    shop.admin("PATCH", &path, json!({"price": 700, "metadata": {"colour": "green"}})).await.expect(200);
    assert_eq!(shop.import(csv).await.expect(200)["updated"], 1);
    shop.admin("PATCH", &path, json!({"metadata": {"sku": "R-1"}})).await.expect(200);
    assert_eq!(shop.import("sku,name,price\nR-1,Rake,6.00\n").await.expect(200)["updated"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn siblings_differ_in_their_names() {
    let shop = Shop::open().await;
    let garden = shop.category("Garden", None).await;
    let post = |name: &str, parent: Option<i32>| {
        shop.admin("POST", "/v1/categories", json!({"name": name, "parent_id": parent}))
    };
    post("Garden", None).await.expect_problem(409, "category_exists", "/name");
    post(" Garden ", None).await.expect_problem(409, "category_exists", "/name");
    post("Garden", Some(garden)).await.expect(201);
    let tools = id(&post("Tools", None).await.expect(201));
    let inner = id(&post("Tools", Some(garden)).await.expect(201));
    let moved = shop.admin("PATCH", &format!("/v1/categories/{inner}"), json!({"parent_id": null})).await;
    moved.expect_problem(409, "category_exists", "/name");
    let renamed = shop.admin("PATCH", &format!("/v1/categories/{tools}"), json!({"name": "Garden"})).await;
    renamed.expect_problem(409, "category_exists", "/name");
    shop.admin("PATCH", &format!("/v1/categories/{tools}"), json!({"name": "Tools", "is_active": false}))
        .await
        .expect(200);

    let answers = futures_util::future::join_all((0..8).map(|_| post("At once", None))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count(), 7);

    let report = shop.import("name,price,category\nHoe,5.00,Garden > Tools\nAxe,5.00,At once\n").await.expect(200);
    assert_eq!(report["categories_created"], 0, "an import finds those that are there");
    let hoe = shop.get("/v1/products?q=hoe").await.expect(200);
    assert_eq!(hoe["data"][0]["category_id"], inner);
    shop.verify().await;
}
