//! What searches in memory find, in which order, and how it is counted: as the database does, and more where it can.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{fill, found, ids, two_ways, whole};
use crate::shop::{Shop, id};

/// All pages of a list, each from the next of the shops.
async fn walk(shops: &[&Shop], query: &str) -> (Vec<i32>, Vec<Value>) {
    let (mut seen, mut facets, mut query) = (Vec::new(), Vec::new(), query.replace(' ', "%20"));
    for shop in shops.iter().cycle() {
        let page = shop.get(&format!("/v1/products?{query}")).await.expect(200);
        seen.extend(ids(&page));
        facets.push(page["facets"].clone());
        match page["next_cursor"].as_str() {
            Some(next) => query = format!("{}&cursor={next}", query.split("&cursor=").next().unwrap_or_default()),
            None => break,
        }
    }
    (seen, facets)
}

/// A cursor before the first row. Behind a cursor, the database does not look for what else may have been meant.
fn start(query: &str) -> String {
    let (sort, score) = match query.split('&').find_map(|part| part.strip_prefix("sort=")) {
        Some("price") => ("price", -1),
        Some("newest") => ("newest", 0),
        Some("-price") => ("-price", i32::MAX),
        _ => ("relevance", i32::MAX),
    };
    let position = json!({"sort": sort, "alike": false, "score": score, "name": null, "id": i32::MAX});
    URL_SAFE_NO_PAD.encode(position.to_string())
}

#[tokio::test]
async fn memory_and_the_database_find_the_same_in_the_same_order() {
    let (database, memory, _jobs) = two_ways().await;
    fill(&database).await;
    whole(&memory).await;
    let home = {
        let categories = memory.get("/v1/categories?limit=100").await.expect(200);
        let home = categories["data"].as_array().unwrap().iter().find(|category| category["name"] == "Home").unwrap();
        id(home)
    };
    let words = [
        "lamp",
        "red",
        "the",
        "retro lamp",
        "lamp light",
        "tea-light",
        "%22cake stand%22",
        "%22stand cake%22",
        "lamp -red",
        "-lamp",
        "lamp or kettle",
        "t-shirt green",
        "85123a",
        "%22a lamp and another%22",
        "n%C3%A9e",
        "d%27%C3%A9t%C3%A9",
        "shoe jumbo -spade or can",
        "%22tea-light holder%22",
        "holder steel 42",
        "lamp lamp",
        "running",
        "-red -green",
        "%F0%9F%AA%B4",
        "%22the small%22 -bag",
    ];
    let rest = [
        "&limit=100".to_owned(),
        "&sort=price&limit=60".to_owned(),
        "&sort=-price&limit=60&min_price=300".to_owned(),
        "&sort=newest&max_price=900&limit=45".to_owned(),
        format!("&category_id={home}&limit=30"),
        "&category_id=999999".to_owned(),
        "&sort=relevance&limit=25&min_price=1100&is_active=true".to_owned(),
    ];
    let mut answers = 0;
    for words in words {
        for rest in &rest {
            let query = format!("q={words}{rest}&facets=category");
            let from_start = format!("{query}&cursor={}", start(rest));
            let in_database = walk(&[&database], &from_start).await;
            assert_eq!(walk(&[&memory], &query).await, in_database, "{query}");
            assert_eq!(walk(&[&memory, &database], &query).await.0, in_database.0, "{query}, in turns");
            assert_eq!(walk(&[&database, &memory], &from_start).await.0, in_database.0, "{query}, in turns");
            answers += in_database.0.len();
        }
    }
    assert!(answers > 5_000, "{answers}");
    assert!(memory.inventory.searches_in_memory());
    for query in
        ["facets=category", "facets=category&category_id=1&sort=price", "facets=category&min_price=500&limit=100"]
    {
        assert_eq!(walk(&[&memory], query).await, walk(&[&database], query).await, "{query}");
    }
}

#[tokio::test]
async fn facets_count_the_whole_list_by_category() {
    let (database, memory, _jobs) = two_ways().await;
    let home = memory.category("Home", None).await;
    let light = memory.category("Light", Some(home)).await;
    let garden = memory.category("Garden", None).await;
    for (name, category) in [("Red lamp", light), ("Lamp", light), ("Lamp shade", home), ("Lamp of lawns", garden)] {
        let body = json!({"name": name, "price": 500, "quantity": 2, "category_id": category});
        memory.admin("POST", "/v1/products", body).await.expect(201);
    }
    memory.product("A lamp of no category", 500, 0).await;
    whole(&memory).await;
    let count = |category: i32, name: &str, count: i32| json!({"category_id": category, "name": name, "count": count});
    for shop in [&database, &memory] {
        let facets = |query: &str| {
            let path = format!("/v1/products?{query}&facets=category&limit=1");
            async move { shop.get(&path).await.expect(200)["facets"]["categories"].clone() }
        };
        let all = [count(home, "Home", 3), count(light, "Light", 2), count(garden, "Garden", 1)];
        assert_eq!(facets("q=lamp").await, json!(all));
        assert_eq!(facets("q=red").await, json!([count(home, "Home", 1), count(light, "Light", 1)]));
        assert_eq!(facets(&format!("q=lamp&category_id={garden}")).await, json!([count(garden, "Garden", 1)]));
        assert_eq!(facets("q=lamp&in_stock=true").await, json!(all));
        assert_eq!(facets("q=zzzzzz").await, json!([]));
        let plain = shop.get("/v1/products?q=lamp").await.expect(200);
        assert!(plain.get("facets").is_none(), "{plain}");
        shop.get("/v1/products?q=lamp&facets=colour").await.expect_problem(400, "invalid_parameter", "facets");
    }
}

#[tokio::test]
async fn misspelt_words_find_what_was_meant() {
    let (database, memory, _jobs) = two_ways().await;
    let mut made = Vec::new();
    for name in
        ["Red retro kettle", "Kettle", "Headphones", "T-shirt", "Watering can", "Jumbo bag 85123A", "Kettle bag"]
    {
        made.push(memory.product(name, 500, 2).await);
    }
    let [red, kettle, headphones, shirt, can, _jumbo, bag] = made[..] else { panic!() };
    whole(&memory).await;
    for (words, wanted) in [
        ("ketle", vec![bag, kettle, red]),
        ("kettel", vec![bag, kettle, red]),
        ("headphnoes", vec![headphones]),
        ("haedphones", vec![headphones]),
        ("t-shrit", vec![shirt]),
        ("wattering", vec![can]),
        ("rtero ketle", vec![red]),
        ("red ketle", vec![red]),
        ("ketle -bga", vec![bag, kettle, red]),
        ("%22retro ketle%22", vec![red]),
        ("85123B", vec![]),
        ("zzzzzzzz", vec![]),
    ] {
        let mut all = walk(&[&memory], &format!("q={words}&limit=1")).await.0;
        // A walk that memory began goes on in the database.
        assert_eq!(walk(&[&memory, &database], &format!("q={words}&limit=1")).await.0, all, "{words}");
        all.sort_by_key(|id| -id);
        assert_eq!(all, wanted, "{words}");
    }
    // What the filters hide is spelt right all the same.
    assert_eq!(found(&memory, "q=kettle&min_price=900").await, [0; 0]);
}

#[tokio::test]
async fn better_matches_come_first() {
    let (_database, memory, _jobs) = two_ways().await;
    let described = json!({"name": "Spade", "price": 1, "description": "Goes well with a kettle"});
    let described = id(&memory.admin("POST", "/v1/products", described).await.expect(201));
    let kettle = memory.product("Kettle", 1, 1).await;
    let long = memory.product("Stand for a blue enamel kettle and other things of the house", 1, 1).await;
    let apart = memory.product("Blue stand of an enamel that nobody knows the name of for a kettle", 1, 1).await;
    whole(&memory).await;
    assert_eq!(found(&memory, "q=kettle").await, [kettle, long, apart, described]);
    assert_eq!(found(&memory, "q=enamel%20kettle").await, [long, apart]);
}
