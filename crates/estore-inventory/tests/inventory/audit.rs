//! What is written down of edits of the catalogue, and that a sale costs nothing for it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{ADMIN_ID, Shop};

/// What was written since the change of that number: table, key, operation, before, after.
async fn written(shop: &Shop, after: i64) -> Vec<(String, String, String, Value, Value)> {
    let sql = "SELECT table_name, row_key, operation, coalesce(before, 'null'), coalesce(after, 'null') FROM audit_log
               WHERE id > $1 ORDER BY id";
    let rows = shop.db.rows(sql, &[&after]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))).collect()
}

async fn newest(shop: &Shop) -> i64 {
    shop.db.row("SELECT coalesce(max(id), 0) FROM audit_log", &[]).await.unwrap().unwrap().get(0)
}

#[tokio::test]
async fn an_edit_is_written_with_whoever_made_it() {
    let shop = Shop::open().await;
    let category = shop.category("Garden", None).await;
    let product = shop.product("Spade", 100, 5).await;
    let after = newest(&shop).await;
    let path = format!("/v1/products/{product}");
    shop.admin("PATCH", &path, json!({"price": 120, "category_id": category})).await.expect(200);
    shop.admin("DELETE", &path, Value::Null).await.expect(204);
    shop.admin("DELETE", &path, Value::Null).await.expect(204);
    let key = product.to_string();
    let row =
        |operation: &str, before, after| ("products".to_owned(), key.clone(), operation.to_owned(), before, after);
    assert_eq!(
        written(&shop, after).await,
        [
            row("update", json!({"price": 100, "category_id": null}), json!({"price": 120, "category_id": category})),
            row("update", json!({"is_active": true}), json!({"is_active": false})),
        ],
        "what changes nothing is not written"
    );
    let by = "SELECT count(*) FROM audit_log WHERE user_id = $1 AND request_id <> ''";
    let by: i64 = shop.db.row(by, &[&ADMIN_ID]).await.unwrap().unwrap().get(0);
    assert_eq!(by, 4);
    let first = &written(&shop, 0).await[1];
    assert_eq!((first.0.as_str(), first.2.as_str(), &first.4["name"]), ("products", "insert", &json!("Spade")));
    assert!(first.4.get("quantity").is_none() && first.4.get("search_document").is_none(), "{}", first.4);
}

#[tokio::test]
async fn every_column_of_a_product_is_written_but_those_that_move_with_its_stock() {
    let shop = Shop::open().await;
    let category = shop.category("Garden", None).await;
    shop.product("Spade", 100, 5).await;
    let columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'products'::regclass AND attnum > 0
        AND NOT attisdropped AND attname NOT IN ('quantity', 'search_document', 'updated_at')";
    for row in shop.db.rows(columns, &[]).await.unwrap() {
        let (column, category) = (row.get::<_, &str>(0), category.to_string());
        let value = match column {
            "id" => "id + 1000",
            "name" | "description" | "import_key" => "'another'",
            "image_url" => "'https://shop.example/another.png'",
            "price" | "min_stock_level" => "1 + coalesce(price, 0)",
            "category_id" => &category,
            "is_active" => "NOT is_active",
            "created_at" => "created_at - interval '1 day'",
            "metadata" => "'{\"colour\": \"red\"}'",
            other => panic!("the new column {other} is to be tried, and to be named by the trigger audit_update"),
        };
        let after = newest(&shop).await;
        shop.db.execute(&format!("UPDATE products SET {column} = {value}"), &[]).await.unwrap();
        let written = written(&shop, after).await;
        assert_eq!(written.len(), 1, "{column}");
        assert!(written[0].4.get(column).is_some(), "{column}: {:?}", written[0]);
    }
}

#[tokio::test]
async fn an_import_is_written_row_by_row_and_once() {
    let shop = Shop::open().await;
    let file = |price: &str| {
        let rows: String = (0..500).map(|n| format!("S{n},Lamp {n},{price},1\n")).collect();
        format!("sku,name,price,quantity\n{rows}")
    };
    shop.import(file("1.00")).await.expect(200);
    let count = "SELECT count(*), count(*) FILTER (WHERE operation = 'insert'), count(DISTINCT row_key) FROM audit_log
                 WHERE table_name = 'products' AND user_id = 7";
    let counted = async || {
        let row = shop.db.row(count, &[]).await.unwrap().unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2))
    };
    assert_eq!(counted().await, (500, 500, 500));
    shop.import(file("1.00")).await.expect(200);
    assert_eq!(counted().await, (500, 500, 500), "nothing changed");
    shop.import(file("2.00")).await.expect(200);
    assert_eq!(counted().await, (1_000, 500, 500));
    shop.import(file("2.00").replace(",1\n", ",3\n")).await.expect(200);
    let moved = "SELECT count(*) FILTER (WHERE actor_user_id = 7), count(*) FROM stock_movements";
    let moved = shop.db.row(moved, &[]).await.unwrap().unwrap();
    assert_eq!((moved.get::<_, i64>(0), moved.get::<_, i64>(1)), (1_000, 1_000));
}

#[tokio::test]
async fn stock_that_moves_writes_nothing_here_and_wakes_no_trigger() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 100, 50).await;
    let after = newest(&shop).await;
    let checkout = Uuid::now_v7();
    shop.hold(checkout, &[(product, 2)]).await;
    let (admin, connection) = shop.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let plan = "EXPLAIN (ANALYZE, TIMING off) UPDATE products SET quantity = quantity - 1 WHERE id = $1";
    let plan = admin.query(&plan.replace("$1", &product.to_string()), &[]).await.unwrap();
    let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    assert!(!lines.iter().any(|line| line.contains("Trigger")), "{lines:#?}");
    // Rows of a statement are collected for triggers that ask for them, even for those that do not fire.
    let collects = "SELECT count(*) FROM pg_trigger
        WHERE tgrelid IN ('products'::regclass, 'holds'::regclass, 'hold_lines'::regclass, 'stock_movements'::regclass)
        AND (tgoldtable IS NOT NULL OR (tgnewtable IS NOT NULL AND tgrelid <> 'products'::regclass))
        AND tgname <> 'audit_delete'";
    assert_eq!(admin.query_one(collects, &[]).await.unwrap().get::<_, i64>(0), 0);
    shop.admin("POST", &format!("/v1/products/{product}/stock"), json!({"delta": 3, "reason": "found"}))
        .await
        .expect(200);
    assert_eq!(written(&shop, after).await, []);
    // Who moved it stands in the book of stock itself.
    let by = "SELECT actor_user_id FROM stock_movements WHERE kind = 'adjustment'";
    assert_eq!(shop.db.row(by, &[]).await.unwrap().unwrap().get::<_, i32>(0), ADMIN_ID);
}
