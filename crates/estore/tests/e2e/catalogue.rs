//! The catalogue as shoppers and administrators use it.

use estore_testkit::client::{Answer, Client};
use estore_testkit::shop::Shop;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

crate::in_one_and_three!(
    a_category_includes_its_descendants,
    a_search_forgives_a_typo,
    cursors_walk_the_whole_list_once,
    an_edit_on_an_old_version_is_refused,
    stock_moves_are_rows,
    an_import_is_all_or_nothing,
    a_withdrawn_product_is_hidden,
    memory_answers_as_the_route_does,
);

/// A word that no other test uses.
fn word() -> String {
    Uuid::now_v7().simple().to_string().chars().map(|c| char::from(b'a' + (c as u8 % 16))).collect()
}

fn ids(list: &Value) -> Vec<i64> {
    list["data"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn category(admin: &Client, name: &str, parent: Option<i64>) -> i64 {
    // The shop stands for other runs too, and siblings differ.
    let name = format!("{name} {}", word());
    admin.post("/v1/categories", &json!({ "name": name, "parent_id": parent })).await.expect(201).id()
}

async fn a_category_includes_its_descendants(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let root = category(&admin, "Root", None).await;
    let child = category(&admin, "Child", Some(root)).await;
    let grandchild = category(&admin, "Grandchild", Some(child)).await;
    let body = json!({ "name": "Deep", "price": 5, "quantity": 1, "category_id": grandchild, "metadata": {"size": "M", "tags": ["x"]} });
    let product = admin.post("/v1/products", &body).await.expect(201).id();
    for filter in ["", "&in_stock=true", "&min_price=5&max_price=5", "&metadata=%7B%22size%22%3A%22M%22%7D"] {
        let list = Client::anonymous(shop).get(&format!("/v1/products?category_id={root}{filter}")).await.expect(200);
        assert_eq!(ids(&list.json), [product], "{filter}");
    }
    let none = admin.get(&format!("/v1/products?category_id={root}&metadata=%7B%22size%22%3A%22L%22%7D")).await;
    assert_eq!(ids(&none.json), Vec::<i64>::new());
    let path = format!("/v1/categories/{root}");
    assert!(admin.send(Method::DELETE, &path, None, &[]).await.status == 409, "it has children");
    let cycle = json!({ "parent_id": grandchild });
    let refused = admin.send(Method::PATCH, &path, Some(&cycle), &[]).await;
    assert!(matches!(refused.status, 409 | 422), "{}", refused.text);
    assert!(refused.text.contains("parent_id"), "{}", refused.text);
}

async fn a_search_forgives_a_typo(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let word = word();
    let body = json!({ "name": format!("Marvellous {word} kettle"), "price": 5, "quantity": 1 });
    let product = admin.post("/v1/products", &body).await.expect(201).id();
    let mut mistyped = word.clone();
    mistyped.replace_range(5..6, "z");
    for q in [word.as_str(), mistyped.as_str(), &format!("{word}%20kettle")] {
        let found = Client::anonymous(shop).get(&format!("/v1/products?q={q}")).await.expect(200);
        assert!(ids(&found.json).contains(&product), "{q}: {}", found.text);
    }
}

async fn cursors_walk_the_whole_list_once(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let root = category(&admin, "Walk", None).await;
    let mut made = Vec::new();
    for n in 0..7 {
        let body = json!({ "name": format!("Walk {}", n % 3), "price": n % 2, "quantity": 1, "category_id": root });
        made.push(admin.post("/v1/products", &body).await.expect(201).id());
    }
    for sort in ["price", "-price", "name", "newest"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/products?category_id={root}&sort={sort}&limit=2{cursor}");
            let page = admin.get(&path).await.expect(200).json;
            seen.extend(ids(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut sorted = seen.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, made, "sort={sort} gave {seen:?}");
    }
}

async fn an_edit_on_an_old_version_is_refused(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let path = format!("/v1/products/{}", admin.product(100, 1).await);
    let etag = admin.get(&path).await.expect(200).headers["etag"].clone();
    let edit = |price: i64| json!({ "price": price });
    let if_match = [("if-match", etag.as_str())];
    let _edited = admin.send(Method::PATCH, &path, Some(&edit(200)), &if_match).await.expect(200);
    let _stale = admin.send(Method::PATCH, &path, Some(&edit(300)), &if_match).await.expect(412);
    assert_eq!(admin.get(&path).await.json["price"], 200);
}

async fn stock_moves_are_rows(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let product = admin.product(100, 10).await;
    let path = format!("/v1/products/{product}/stock");
    let _more = admin.post(&path, &json!({ "delta": 5, "reason": "delivery" })).await.expect(200);
    let _counted = admin.post(&path, &json!({ "quantity": 7, "reason": "stocktaking" })).await.expect(200);
    let refused = admin.post(&path, &json!({ "delta": -8, "reason": "broken" })).await;
    assert!(matches!(refused.status, 409 | 422), "{}", refused.text);
    let movements = admin.get(&format!("/v1/products/{product}/stock-movements")).await.expect(200).json;
    let sum: i64 = movements["data"].as_array().unwrap().iter().map(|row| row["delta"].as_i64().unwrap()).sum();
    assert_eq!(sum, 7, "{movements}");
    let body = json!({ "min_stock_level": 1_000_000 });
    let _raised = admin.send(Method::PATCH, &format!("/v1/products/{product}"), Some(&body), &[]).await.expect(200);
    let low = admin.get("/v1/products/low-stock?limit=100").await.expect(200);
    assert!(ids(&low.json).contains(&product));
}

async fn an_import_is_all_or_nothing(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let mark = word();
    let import =
        async |csv: String| admin.send_raw(Method::POST, "/v1/products/import", "text/csv", csv.into_bytes()).await;
    let header = "sku,name,description,price,quantity,category,image_url,min_stock_level,is_active,metadata\n";
    let good = format!("{header}{mark}-1,{mark} one,,2.55,3,A > B,,,,\n{mark}-2,{mark} two,,0.10,4,A > B,,,,\n");
    let report = import(good.clone()).await.expect(200);
    assert_eq!(report.json["created"], 2, "{}", report.text);
    let again = import(good).await.expect(200);
    assert_eq!(again.json["created"], 0, "{}", again.text);
    let bad = format!("{header}{mark}-3,{mark} three,,1.00,3,,,,,\n{mark}-4,{mark} four,,1.005,x,,,,,\n");
    let refused = import(bad).await.expect(422);
    assert!(refused.text.contains("price") && refused.text.contains("quantity"), "{}", refused.text);
    let found = admin.get(&format!("/v1/products?q={mark}")).await.expect(200).json;
    assert_eq!(found["data"].as_array().unwrap().len(), 2, "{found}");
    for nothing in [Vec::new(), vec![0xff, 0xfe, 0x41, 0x00]] {
        let answer = admin.send_raw(Method::POST, "/v1/products/import", "text/csv", nothing).await;
        assert!(matches!(answer.status, 400 | 422), "{}: {}", answer.status, answer.text);
    }
    let exported = admin.get("/v1/products/export").await.expect(200);
    assert!(exported.text.contains(&format!("{mark}-1")));
}

async fn a_withdrawn_product_is_hidden(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let path = format!("/v1/products/{}", admin.product(100, 1).await);
    let _withdrawn = admin.send(Method::DELETE, &path, None, &[]).await.expect(204);
    let _hidden = Client::anonymous(shop).get(&path).await.expect(404);
    assert_eq!(admin.get(&path).await.expect(200).json["is_active"], false);
}

/// What an answer says, but for what differs with each.
fn said(answer: &Answer) -> (u16, Vec<(&String, &String)>, Value) {
    let differs = ["date", "content-length"];
    let mut headers: Vec<_> = answer.headers.iter().filter(|(name, _)| !differs.contains(&name.as_str())).collect();
    headers.sort();
    let mut json = answer.json.clone();
    if let Some(product) = json.as_object_mut() {
        product.remove("stock_as_of");
    }
    (answer.status, headers, json)
}

async fn memory_answers_as_the_route_does(shop: &Shop) {
    let admin = Client::admin(shop).await;
    let visitor = Client::anonymous(shop);
    let long = "A kettle that whistles. ".repeat(200);
    for description in ["short", &long] {
        let body = json!({ "name": "Kettle", "description": description, "price": 5, "quantity": 7 });
        let product = admin.post("/v1/products", &body).await.expect(201).id();
        let path = format!("/v1/products/{product}");
        let etag = visitor.get(&path).await.expect(200).headers["etag"].clone();
        for (expected, header) in
            [(200, ("accept", "*/*")), (200, ("accept-encoding", "gzip")), (304, ("if-none-match", etag.as_str()))]
        {
            let headers = [header, ("x-request-id", "the-same"), ("origin", "https://elsewhere.example")];
            // Only the plain path is answered before the routes.
            let [kept, routed] = [path.clone(), format!("{path}?by=route")];
            let kept = visitor.send(Method::GET, &kept, None, &headers).await.expect(expected);
            let routed = visitor.send(Method::GET, &routed, None, &headers).await.expect(expected);
            assert_eq!(said(&kept), said(&routed), "{header:?}");
        }
        let _withdrawn = admin.send(Method::DELETE, &path, None, &[]).await.expect(204);
        let _gone = visitor.get(&path).await.expect(404);
    }
}
