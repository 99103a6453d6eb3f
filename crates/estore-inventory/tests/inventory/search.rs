use std::collections::HashSet;

use serde_json::Value;

use crate::shop::Shop;

async fn names(shop: &Shop, query: &str) -> Vec<String> {
    let page = shop.get(&format!("/v1/products?{query}")).await.expect(200);
    page["data"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect()
}

/// All names of a list, page by page.
async fn walk(shop: &Shop, query: &str, limit: usize) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/products?{query}&limit={limit}{cursor}")).await.expect(200);
        let rows = page["data"].as_array().unwrap();
        seen.extend(rows.iter().map(|p| p["name"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
        assert_eq!(rows.len(), limit);
    }
}

async fn stocked() -> Shop {
    let shop = Shop::open().await;
    let file = "name,description,price,quantity,category,metadata\n\
        Steel spade,Digs deep into heavy soil,25.00,5,Garden > Tools > Digging,\"{\"\"colour\"\":\"\"grey\"\",\"\"o\"\":{\"\"size\"\":\"\"L\"\"}}\"\n\
        Garden hose,\"Twenty metres, with a steel nozzle\",30.00,0,Garden > Watering,\"{\"\"colour\"\":\"\"green\"\"}\"\n\
        Watering can,Five litres of water for your plants,12.50,9,Garden > Watering,\"{\"\"colour\"\":\"\"green\"\"}\"\n\
        Headphones,Over the ear,99.00,3,Audio,{}\n\
        Shirt,Plain cotton,15.00,20,Clothing,\"{\"\"tags\"\":[\"\"a\"\",\"\"b\"\"]}\"\n";
    shop.import(file).await.expect(200);
    shop
}

#[tokio::test]
async fn words_are_found_and_names_weigh_more_than_descriptions() {
    let shop = stocked().await;
    assert_eq!(names(&shop, "q=steel").await, ["Steel spade", "Garden hose"]);
    assert_eq!(names(&shop, "q=spades").await, ["Steel spade"]);
    assert_eq!(names(&shop, "q=water%20plants").await, ["Watering can"]);
    assert_eq!(names(&shop, "q=steel%20-spade").await, ["Garden hose"]);
    assert_eq!(names(&shop, "q=%22heavy%20soil%22").await, ["Steel spade"]);
    assert_eq!(names(&shop, "q=steel&sort=price&max_price=2600").await, ["Steel spade"]);
    assert_eq!(names(&shop, "q=%20").await.len(), 5);
}

#[tokio::test]
async fn misspelt_words_find_names_that_look_alike() {
    let shop = stocked().await;
    assert_eq!(names(&shop, "q=headphnoes").await, ["Headphones"]);
    assert_eq!(names(&shop, "q=shrit").await[0], "Shirt");
    assert_eq!(names(&shop, "q=wattering").await[0], "Watering can");
    assert_eq!(names(&shop, "q=headphnoes&sort=price").await, ["Headphones"]);
    assert!(names(&shop, "q=zzzzzzzz").await.is_empty());
    for odd in ["q=%27%22%5C", "q=%26%7C!%3A*", "q=the", "q=%F0%9F%AA%B4", "q=-"] {
        names(&shop, odd).await;
    }
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let shop = stocked().await;
    let categories = shop.get("/v1/categories?limit=100").await.expect(200);
    let category = |name: &str| {
        let rows = categories["data"].as_array().unwrap();
        rows.iter().find(|c| c["name"] == name).map(|c| c["id"].clone()).unwrap()
    };
    assert_eq!(names(&shop, &format!("category_id={}", category("Garden"))).await.len(), 3);
    assert_eq!(names(&shop, &format!("category_id={}", category("Watering"))).await.len(), 2);
    assert_eq!(names(&shop, "category_id=999").await.len(), 0);
    assert_eq!(names(&shop, "min_price=2500&max_price=3000&sort=price").await, ["Steel spade", "Garden hose"]);
    assert_eq!(names(&shop, "in_stock=false").await, ["Garden hose"]);
    assert_eq!(names(&shop, "in_stock=true").await.len(), 4);
    assert_eq!(
        names(&shop, "metadata=%7B%22colour%22:%22green%22%7D&sort=name").await,
        ["Garden hose", "Watering can"]
    );
    assert_eq!(names(&shop, "metadata=%7B%22o%22:%7B%22size%22:%22L%22%7D%7D").await, ["Steel spade"]);
    assert_eq!(names(&shop, "metadata=%7B%22tags%22:%5B%22a%22%5D%7D").await, ["Shirt"]);
    for (bad, parameter) in [
        ("metadata=x", "metadata"),
        ("metadata=%5B1%5D", "metadata"),
        ("min_price=-1", "min_price"),
        ("max_price=x", "max_price"),
        ("sort=colour", "sort"),
        ("in_stock=perhaps", "in_stock"),
        ("limit=0", "limit"),
        ("metadata=%7B%22a%22:%22%5Cu0000%22%7D", "metadata"),
        ("max_price=99999999999", "max_price"),
    ] {
        shop.get(&format!("/v1/products?{bad}")).await.expect_problem(400, "invalid_parameter", parameter);
    }
    let long = "x".repeat(201);
    shop.get(&format!("/v1/products?q={long}")).await.expect_problem(400, "invalid_parameter", "q");
}

#[tokio::test]
async fn sorts_are_what_they_say() {
    let shop = stocked().await;
    let cheap = ["Watering can", "Shirt", "Steel spade", "Garden hose", "Headphones"];
    assert_eq!(names(&shop, "sort=price").await, cheap);
    assert_eq!(names(&shop, "sort=-price").await, cheap.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(names(&shop, "sort=newest").await[0], "Shirt");
    assert_eq!(names(&shop, "sort=name").await[0], "Garden hose");
}

#[tokio::test]
async fn pages_hold_every_product_once_while_others_come_and_go() {
    let shop = Shop::open().await;
    let rows: String = (0..57).map(|n| format!("Lamp {:02},Lights,{}.00,1\n", n % 19, n % 5)).collect();
    let file = format!("sku,name,description,price,quantity\n{rows}");
    let file: String = file
        .lines()
        .enumerate()
        .map(|(n, line)| if n == 0 { format!("{line}\n") } else { format!("S{n},{line}\n") })
        .collect();
    shop.import(file).await.expect(200);
    for query in [
        "sort=newest",
        "sort=price",
        "sort=-price",
        "sort=name",
        "q=lamp",
        "q=lampp&sort=relevance",
        "q=lamp&sort=price",
    ] {
        let (small, large) = (walk(&shop, query, 7).await, walk(&shop, query, 100).await);
        assert_eq!(small, large, "{query}");
        assert_eq!(small.len(), 57, "{query}");
    }
    let first = shop.get("/v1/products?sort=price&limit=10").await.expect(200);
    shop.product("Cheapest of all", 0, 1).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = shop.get(&format!("/v1/products?sort=price&limit=10&cursor={cursor}")).await.expect(200);
    let ids = |page: &Value| {
        page["data"].as_array().unwrap().iter().map(|p| p["id"].as_i64().unwrap()).collect::<HashSet<_>>()
    };
    assert!(ids(&first).is_disjoint(&ids(&second)));
    let other = shop.get(&format!("/v1/products?sort=name&cursor={cursor}")).await;
    other.expect_problem(400, "invalid_parameter", "cursor");
}
