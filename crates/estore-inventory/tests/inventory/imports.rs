use std::collections::HashMap;
use std::sync::Arc;

use estore_api::inventory::HoldOutcome;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Shop, id, without_moment};

/// A file of the shared data, or a plain message that it is not there.
fn shared(name: &str) -> Option<String> {
    let path = format!("{}/../../../shared/data/catalog/shopify/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: the shared data is not beside the project ({path})");
    }
    text
}

async fn all_products(shop: &Shop) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.admin("GET", &format!("/v1/products?limit=100{cursor}"), Value::Null).await.expect(200);
        all.extend(page["data"].as_array().unwrap().iter().cloned().map(without_moment));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

async fn export(shop: &Shop) -> String {
    let answer = shop.admin("GET", "/v1/products/export", Value::Null).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.text
}

#[tokio::test]
async fn shopify_s_template_of_2024_becomes_variants_that_share_their_item() {
    let Some(file) = shared("product_template_2024.csv") else { return };
    let shop = Shop::open().await;
    let report = shop.import(file.clone()).await.expect(200);
    assert_eq!((report["rows"].as_i64(), report["created"].as_i64()), (Some(17), Some(16)), "{report}");
    let products = all_products(&shop).await;
    let shirts: Vec<_> = products.iter().filter(|p| p["metadata"]["handle"] == "example-shirt").collect();
    assert_eq!(shirts.len(), 12);
    assert!(shirts.iter().all(|p| p["name"] == "Example T-Shirt" && p["price"] == 2500 && p["is_active"] == true));
    let green_m = shirts.iter().find(|p| p["metadata"]["sku"] == "SRT_COT_122").unwrap();
    assert_eq!(green_m["metadata"]["options"], json!({"Color": "Green", "Size": "M"}));
    assert_eq!(green_m["image_url"], "https://burst.shopifycdn.com/photos/green-t-shirt.jpg?width=1500");
    let jeans: Vec<_> = products.iter().filter(|p| p["metadata"]["handle"] == "example-pants").collect();
    assert_eq!((jeans.len(), jeans[0]["is_active"].as_bool()), (3, Some(false)));
    let pictures = jeans.iter().find_map(|p| p["metadata"]["images"].as_array()).unwrap();
    assert_eq!(pictures.len(), 4);
    let hat = products.iter().find(|p| p["metadata"]["handle"] == "example-hat").unwrap();
    assert_eq!((hat["price"].as_i64(), hat["quantity"].as_i64()), (Some(1799), Some(50)));
    assert_eq!(hat["metadata"]["options"], Value::Null);
    let categories = shop.get("/v1/categories?limit=100").await.expect(200);
    let names: Vec<_> = categories["data"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"T-Shirts") && names.iter().filter(|n| **n == "Clothing").count() == 1, "{names:?}");
    let again = shop.import(file).await.expect(200);
    assert_eq!(
        (again["created"].as_i64(), again["updated"].as_i64(), again["unchanged"].as_i64()),
        (Some(0), Some(0), Some(16))
    );
    shop.verify().await;
}

#[tokio::test]
async fn shopify_s_older_files_are_read_too() {
    let (Some(old), Some(partners)) = (shared("product_template_2019.csv"), shared("apparel.csv")) else { return };
    let shop = Shop::open().await;
    let report = shop.import(old).await.expect(200);
    assert_eq!(report["created"], 3, "{report}");
    let report = shop.import(partners.clone()).await.expect(200);
    assert_eq!(report["created"], report["rows"], "{report}");
    let products = all_products(&shop).await;
    let shirt: Vec<_> = products.iter().filter(|p| p["metadata"]["handle"] == "example-t-shirt").collect();
    assert!(shirt.iter().any(|p| p["metadata"]["options"]["Title"] == r#"Lithograph - Height: 9" x Width: 12""#));
    let sizes = products.iter().filter(|p| p["metadata"]["handle"] == "classic-varsity-top");
    let sizes: Vec<_> = sizes.map(|p| p["metadata"]["options"]["Size"].as_str().unwrap()).collect();
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    let again = shop.import(partners).await.expect(200);
    assert_eq!((again["created"].as_i64(), again["updated"].as_i64()), (Some(0), Some(0)), "{again}");
    shop.verify().await;
}

#[tokio::test]
async fn shopify_s_layout_of_2025_has_other_names() {
    let shop = Shop::open().await;
    let file = "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,\
        Option1 name,Option1 value,Price,Compare-at price,Inventory quantity,Product image URL,Variant image URL\n\
        Mug,mug,<p>Holds tea</p>,Acme,Home > Kitchen,Mugs,\"blue, tea\",true,Active,MUG-B,,Colour,Blue,12.5,,7,https://e.org/a.jpg,\n\
        ,mug,,,,,,,,MUG-R,,,Red,13.00,15,8,https://e.org/b.jpg,https://e.org/r.jpg\n\
        ,mug,,,,,,,,,,,,,,,https://e.org/c.jpg,\n";
    let report = shop.import(file).await.expect(200);
    assert_eq!((report["rows"].as_i64(), report["created"].as_i64()), (Some(3), Some(2)), "{report}");
    let products: HashMap<String, Value> =
        all_products(&shop).await.into_iter().map(|p| (p["metadata"]["sku"].as_str().unwrap().to_owned(), p)).collect();
    let (blue, red) = (&products["MUG-B"], &products["MUG-R"]);
    assert_eq!((blue["price"].as_i64(), red["price"].as_i64()), (Some(1250), Some(1300)));
    assert_eq!(red["description"], "<p>Holds tea</p>");
    assert_eq!(red["image_url"], "https://e.org/r.jpg");
    assert_eq!(red["metadata"]["compare_at_price"], "15");
    assert_eq!(blue["metadata"]["tags"], json!(["blue", "tea"]));
    assert_eq!(blue["metadata"]["images"].as_array().unwrap().len(), 3);
    shop.verify().await;
}

#[tokio::test]
async fn every_bad_row_is_named_and_nothing_is_imported() {
    let shop = Shop::open().await;
    let long = "x".repeat(256);
    let file = format!(
        "sku,name,price,quantity,category,image_url,is_active,metadata\n\
        A,Good,1.00,1,Tools,https://e.org/a.jpg,true,{{}}\n\
        B,,1.00,1,,,,\n\
        C,Fine,0.001,1,,,,\n\
        D,Fine,1.00,-1,A > > B,,,\n\
        E,\"two\nlines\",1.00,99999999999,,ftp://x,perhaps,[1]\n\
        F,{long},1.00,1,,,,\n\
        G,short,1.00\n\
        A,Again,1.00,1,,,,\n"
    );
    let problem = shop.import(file).await.expect(422);
    assert_eq!(problem["code"], "import_refused");
    let found: Vec<(String, String)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["pointer"].as_str().unwrap().to_owned(), e["code"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("line 3, column name", "missing"),
        ("line 4, column price", "too_many_decimals"),
        ("line 5, column quantity", "out_of_range"),
        ("line 5, column category", "not_a_category_path"),
        ("line 6, column quantity", "out_of_range"),
        ("line 6, column image_url", "not_a_web_address"),
        ("line 6, column is_active", "not_a_truth"),
        ("line 6, column metadata", "not_a_json_object"),
        ("line 8, column name", "length"),
        ("line 9", "wrong_width"),
    ];
    assert_eq!(found, expected.map(|(place, rule)| (place.to_owned(), rule.to_owned())));
    assert!(all_products(&shop).await.is_empty());
    assert_eq!(shop.get("/v1/categories").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn faults_that_only_the_database_sees_are_named_too() {
    let shop = Shop::open().await;
    let file = "id,sku,name,price\n,A,One,1\n,B,Two,2\n,A,Three,3\n999,C,Four,4\n,,Five,5\n,,Five,6\n";
    let problem = shop.import(file).await.expect_problem(422, "import_refused", "line 4");
    let lines: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(lines, ["line 4", "line 5, column id", "line 7"]);
    assert!(all_products(&shop).await.is_empty());
}

#[tokio::test]
async fn a_product_stands_in_one_row_however_it_is_named() {
    let shop = Shop::open().await;
    let (hand, sku) = (shop.product("By hand", 100, 1).await, "sku,name,price\nA,Spade,1\n");
    shop.import(sku).await.expect(200);
    let known = shop.get("/v1/products?q=spade").await.expect(200)["data"][0]["id"].clone();
    let file =
        format!("id,sku,name,price\n{hand},,One,1\n{hand},,Two,2\n{known},,Three,3\n,A,Four,4\n{hand},A,Five,5\n");
    let problem = shop.import(file).await.expect(422);
    let lines: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(lines, ["line 3", "line 5", "line 6", "line 6, column sku"], "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_and_an_import_of_the_same_products_do_not_wait_for_each_other_for_ever() {
    let shop = Arc::new(Shop::open().await);
    let rows = |quantity: u32| -> String { (0..300).map(|n| format!("S{n},Lamp {n},{n}.00,{quantity}\n")).collect() };
    shop.import(format!("sku,name,price,quantity\n{}", rows(1_000))).await.expect(200);
    let ids: Vec<i32> = all_products(&shop).await.iter().map(id).collect();
    let buyers = (0..40).map(|n| {
        let mut lines: Vec<(i32, i32)> = ids.iter().skip(n).map(|id| (*id, 1)).collect();
        if n % 2 == 0 {
            lines.reverse();
        }
        let shop = Arc::clone(&shop);
        tokio::spawn(async move { shop.hold(Uuid::now_v7(), &lines).await })
    });
    let buyers: Vec<_> = buyers.collect();
    shop.import(format!("sku,name,price,quantity\n{}", rows(2_000))).await.expect(200);
    for buyer in buyers {
        assert!(matches!(buyer.await.unwrap(), HoldOutcome::Held { .. }));
    }
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_imports_at_once_one_is_told_to_wait_or_both_agree() {
    let shop = Shop::open().await;
    let rows: String = (0..2_000).map(|n| format!("S{n},Lamp {n},{n}.00,5,A > B{}\n", n % 7)).collect();
    let file = format!("sku,name,price,quantity,category\n{rows}");
    let (one, other) = tokio::join!(shop.import(file.clone()), shop.import(file));
    let statuses = [one.status.as_u16(), other.status.as_u16()];
    assert!(statuses == [200, 409] || statuses == [409, 200] || statuses == [200, 200], "{statuses:?}");
    assert_eq!(all_products(&shop).await.len(), 2_000);
    shop.verify().await;
}

#[tokio::test]
async fn what_is_no_file_of_products_is_refused_clearly() {
    let shop = Shop::open().await;
    shop.import("").await.expect_problem(422, "empty_file", "");
    shop.import("\u{feff}\r\n").await.expect(422);
    shop.import("name;price\nA;1\n").await.expect_problem(422, "import_refused", "line 1");
    shop.import("name,colour,price\nA,red,1\n").await.expect_problem(422, "import_refused", "line 1, column colour");
    shop.import("name,Price,price\nA,1,1\n").await.expect_problem(422, "import_refused", "line 1, column price");
    shop.import("name\nA\n").await.expect_problem(422, "import_refused", "line 1");
    shop.import(&b"name,price\nCaf\xe9,1\n"[..]).await.expect_problem(422, "import_refused", "line 2");
    let utf16: Vec<u8> = "name,price\nA,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    shop.import([vec![0xff, 0xfe], utf16].concat()).await.expect_problem(422, "import_refused", "line 1");
    shop.import("name,price\nA\0B,1\n").await.expect_problem(422, "import_refused", "line 2, column name");
    shop.import("Handle,Title,Variant Price\na\0b,A,1\n").await.expect_problem(422, "import_refused", "line 2");
    shop.import("Handle,Title,Variant Price\na,A,1\nb,B,1\na,,2\n").await.expect_problem(
        422,
        "import_refused",
        "line 4, column Title",
    );
    shop.import("name,price\n\"A,1\nB,2\n").await.expect(422);
    assert_eq!(shop.import("name,price\n").await.expect(200)["rows"], 0);
    shop.admin("POST", "/v1/products/import", json!({})).await.expect_problem(415, "unsupported_media_type", "");
    shop.customer("POST", "/v1/products/import", json!({})).await.expect(403);
    shop.get("/v1/products/export").await.expect(401);
}

#[tokio::test]
async fn a_thousand_faults_are_named_and_all_are_counted() {
    let shop = Shop::open().await;
    let rows: String = (0..1_500).map(|n| format!("Product {n},free\n")).collect();
    let problem = shop.import(format!("name,price\n{rows}")).await.expect(422);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1_000);
    assert!(problem["detail"].as_str().unwrap().contains("1500"), "{}", problem["detail"]);
}

#[tokio::test]
async fn an_export_imported_again_changes_nothing() {
    let shop = Shop::open().await;
    let file = "sku,name,description,price,quantity,category,image_url,min_stock_level,is_active,metadata\n\
        A-1,\"Spade, \"\"big\"\"\",\" two\r\nlines \",12.50,3,Garden > Tools,https://e.org/a.jpg,2,true,\"{\"\"n\"\":1.50}\"\n\
        ,Hoe,,9,0,\"Price \\> 100\",,0,no,\n\
        ,🪴 قميص,,0.07,1000000000,,,,,\n";
    shop.import(file).await.expect(200);
    shop.product(" Made by hand ", 123_456, 4).await;
    let (before, exported) = (all_products(&shop).await, export(&shop).await);
    assert!(exported.contains("1234.56"), "{exported}");
    let report = shop.import(exported.clone()).await.expect(200);
    assert_eq!(
        (report["created"].as_i64(), report["updated"].as_i64(), report["unchanged"].as_i64()),
        (Some(0), Some(0), Some(4))
    );
    assert_eq!(report["categories_created"], 0);
    assert_eq!(all_products(&shop).await, before);
    assert_eq!(export(&shop).await, exported);
    shop.verify().await;
}

#[tokio::test]
async fn a_second_file_changes_what_it_says_and_leaves_the_rest() {
    let shop = Shop::open().await;
    shop.import("sku,name,description,price,quantity,category\nA,Spade,Digs,12.50,3,Garden\nB,Hoe,Hoes,9,5,Garden\n")
        .await
        .expect(200);
    let report = shop.import("sku,name,price,quantity\nA,Spade,12.50,10\nB,Hoe,9.50,\nC,Rake,7,1\n").await.expect(200);
    assert_eq!((report["created"].as_i64(), report["updated"].as_i64()), (Some(1), Some(2)));
    let products: HashMap<String, Value> =
        all_products(&shop).await.into_iter().map(|p| (p["metadata"]["sku"].as_str().unwrap().to_owned(), p)).collect();
    let (spade, hoe) = (&products["A"], &products["B"]);
    assert_eq!((spade["quantity"].as_i64(), spade["description"].as_str()), (Some(10), Some("Digs")));
    assert_eq!(spade["updated_at"], Value::Null, "stock is no edit");
    assert_eq!((hoe["quantity"].as_i64(), hoe["price"].as_i64()), (Some(5), Some(950)));
    assert!(hoe["category_id"].is_i64() && hoe["updated_at"].is_string());
    shop.verify().await;
}

#[tokio::test]
async fn an_import_of_thousands_brings_every_row() {
    let rows = 5_000;
    let shop = Shop::open().await;
    let words = ["garden", "steel", "blue", "small", "folding", "wooden", "light", "heavy", "winter", "copper"];
    let mut file = String::from("sku,name,description,price,quantity,category,metadata\n");
    for n in 0..rows {
        let word = |step: usize| words[(n / step + n) % words.len()];
        let (a, b, c) = (word(1), word(7), word(31));
        file.push_str(&format!(
            "SKU-{n},{a} {b} tool number {n},\"A {c} {a} thing, made of {b} and sold by the dozen\",{}.{:02},{},{a} > {b},\"{{\"\"colour\"\":\"\"{c}\"\"}}\"\n",
            n % 500, n % 100, 1 + n % 40
        ));
    }
    let report = shop.import(file).await.expect(200);
    assert_eq!(report["created"], rows);
    shop.verify().await;
}
