use serde_json::{Value, json};

use crate::shop::{Shop, id};

#[tokio::test]
async fn a_category_is_made_changed_and_deleted() {
    let shop = Shop::open().await;
    let made = shop.admin("POST", "/v1/categories", json!({"name": "Garden", "description": "Outdoors"})).await;
    let (first_edition, body) = (made.etag.clone().unwrap(), made.expect(201));
    let path = format!("/v1/categories/{}", id(&body));
    let changed = shop.admin_if("PATCH", &path, Some(&first_edition), json!({"description": null})).await;
    let second_edition = changed.etag.clone().unwrap();
    let body = changed.expect(200);
    assert_eq!((body["name"].as_str(), &body["description"]), (Some("Garden"), &Value::Null));
    assert_ne!(first_edition, second_edition);
    let stale = shop.admin_if("PATCH", &path, Some(&first_edition), json!({"name": "Yard"})).await;
    stale.expect_problem(412, "edition_changed", "");
    shop.admin_if("DELETE", &path, Some("\"none of ours\""), Value::Null).await.expect(412);
    shop.admin_if("DELETE", &path, Some(&second_edition), Value::Null).await.expect(204);
    shop.admin("DELETE", &path, Value::Null).await.expect_problem(404, "not_found", "");
    shop.admin("PATCH", &path, json!({"name": "Yard"})).await.expect(404);
}

#[tokio::test]
async fn bad_fields_are_named() {
    let shop = Shop::open().await;
    let post = |body: Value| shop.admin("POST", "/v1/categories", body);
    post(json!({"name": "x".repeat(256)})).await.expect_problem(422, "validation_failed", "/name");
    post(json!({"name": " "})).await.expect_problem(422, "validation_failed", "/name");
    post(json!({"name": "a\u{0}b"})).await.expect_problem(422, "validation_failed", "/name");
    post(json!({"name": "A", "colour": 1})).await.expect_problem(422, "validation_failed", "/colour");
    post(json!({"name": "A", "parent_id": 999})).await.expect_problem(422, "validation_failed", "/parent_id");
    post(json!({"name": "👩‍👩‍👧‍👦 قميص"})).await.expect(201);
    shop.customer("POST", "/v1/categories", json!({"name": "A"})).await.expect_problem(403, "role_required", "");
}

#[tokio::test]
async fn the_tree_has_no_cycle_and_a_bounded_depth() {
    let shop = Shop::open().await;
    let mut chain = vec![shop.category("1", None).await];
    for level in 2..=8 {
        chain.push(shop.category(&level.to_string(), chain.last().copied()).await);
    }
    let too_deep = shop.admin("POST", "/v1/categories", json!({"name": "9", "parent_id": chain[7]})).await;
    assert_eq!(too_deep.expect_problem(422, "validation_failed", "/parent_id")["errors"][0]["code"], "category_depth");
    let move_to = async |child: i32, parent: i32| {
        shop.admin("PATCH", &format!("/v1/categories/{child}"), json!({"parent_id": parent})).await
    };
    for under in [chain[0], chain[1], chain[7]] {
        let cycle = move_to(chain[0], under).await.expect_problem(422, "validation_failed", "/parent_id");
        assert_eq!(cycle["errors"][0]["code"], "category_cycle");
    }
    // What is below a category moves with it, and counts.
    let other = shop.category("other", None).await;
    let too_deep = move_to(chain[0], other).await.expect(422);
    assert_eq!(too_deep["errors"][0]["code"], "category_depth");
    move_to(chain[4], other).await.expect(200);
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_moves_that_are_each_fine_close_no_cycle_together() {
    let shop = Shop::open().await;
    for round in 0..20 {
        let (a, b) = (shop.category(&format!("a{round}"), None).await, shop.category(&format!("b{round}"), None).await);
        let (path_a, path_b) = (format!("/v1/categories/{a}"), format!("/v1/categories/{b}"));
        let (one, other) = tokio::join!(
            shop.admin("PATCH", &path_a, json!({"parent_id": b})),
            shop.admin("PATCH", &path_b, json!({"parent_id": a})),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", one.text, other.text);
    }
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_moves_that_are_each_fine_do_not_nest_too_deep_together() {
    let shop = Shop::open().await;
    for round in 0..10 {
        let name = |part: &str| format!("{part}{round}");
        // Five levels, four and three: any two fit on top of each other, all three do not.
        let mut tops = Vec::new();
        let mut ends = Vec::new();
        for (part, levels) in [("a", 4), ("b", 3), ("c", 3)] {
            let top = shop.category(&name(part), None).await;
            let mut end = top;
            for _ in 1..levels {
                end = shop.category(&name(part), Some(end)).await;
            }
            tops.push(top);
            ends.push(end);
        }
        let (path_b, path_c) = (format!("/v1/categories/{}", tops[1]), format!("/v1/categories/{}", tops[2]));
        let (one, other) = tokio::join!(
            shop.admin("PATCH", &path_b, json!({"parent_id": ends[0]})),
            shop.admin("PATCH", &path_c, json!({"parent_id": ends[1]})),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", one.text, other.text);
    }
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let shop = Shop::open().await;
    let parent = shop.category("Parent", None).await;
    let child = shop.category("Child", Some(parent)).await;
    let body = json!({"name": "Spade", "price": 1, "category_id": child});
    shop.admin("POST", "/v1/products", body).await.expect(201);
    for used in [parent, child] {
        let answer = shop.admin("DELETE", &format!("/v1/categories/{used}"), Value::Null).await;
        answer.expect_problem(409, "category_in_use", "");
    }
}

#[tokio::test]
async fn the_tree_is_listed_page_by_page() {
    let shop = Shop::open().await;
    let root = shop.category("Root", None).await;
    for n in 0..5 {
        shop.category(&format!("Child {n}"), Some(root)).await;
    }
    let hidden = json!({"name": "Hidden", "parent_id": root, "is_active": false});
    shop.admin("POST", "/v1/categories", hidden).await.expect(201);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/categories?parent_id={root}&limit=2{cursor}")).await.expect(200);
        seen.extend(page["data"].as_array().unwrap().iter().map(id));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());
    let all = shop.admin("GET", "/v1/categories", Value::Null).await.expect(200);
    assert_eq!(all["data"].as_array().unwrap().len(), 7);
    shop.get("/v1/categories?limit=101").await.expect_problem(400, "invalid_parameter", "limit");
    shop.get("/v1/categories?cursor=x").await.expect_problem(400, "invalid_parameter", "cursor");
    shop.get("/v1/categories?colour=x").await.expect_problem(400, "invalid_parameter", "colour");
}
