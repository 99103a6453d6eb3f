//! The search index in memory, beside the database that it must agree with, in a process that edits and in one that hears.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estore_inventory::InventoryConfig;
use estore_kit::db::Db;
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::DropGuard;

use crate::catalogue::run_jobs;
use crate::shop::{Shop, id};

/// How long anything may take before it counts as never.
const NEVER: Duration = Duration::from_secs(20);
const KINDS: [&str; 12] = [
    "lamp",
    "lamps",
    "kettle",
    "tea-light holder",
    "T-shirt",
    "spade",
    "watering can",
    "née set",
    "cake stand",
    "bag 85123A",
    "running shoe",
    "light",
];
const MARKS: [&str; 9] = ["red", "green", "retro", "steel", "jumbo", "the small", "hand-made", "spotty", "d'été"];

/// A shop that keeps no index, one that does, and its jobs.
async fn two_ways() -> (Shop, Shop, DropGuard) {
    let database = Shop::open_with(InventoryConfig { search_bytes_max: 0, ..InventoryConfig::default() }).await;
    let memory = database.another(InventoryConfig::default()).await;
    let jobs = run_jobs(&memory);
    (database, memory, jobs)
}

/// Waits until the index of the shop is whole.
async fn whole(shop: &Shop) {
    let begun = Instant::now();
    while !shop.inventory.searches_in_memory() {
        assert!(begun.elapsed() < NEVER, "the index never becomes whole");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Reads until the list is of these products.
async fn becomes(shop: &Shop, query: &str, wanted: &[i32]) {
    let begun = Instant::now();
    loop {
        let answer = shop.get(&format!("/v1/products?{query}")).await.expect(200);
        if ids(&answer) == wanted {
            return;
        }
        assert!(begun.elapsed() < NEVER, "{query} never becomes {wanted:?}: {answer}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn ids(list: &Value) -> Vec<i32> {
    list["data"].as_array().unwrap().iter().map(id).collect()
}

async fn found(shop: &Shop, query: &str) -> Vec<i32> {
    ids(&shop.get(&format!("/v1/products?{query}")).await.expect(200))
}

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

/// Some hundred products of all kinds in a tree of categories.
async fn fill(shop: &Shop) {
    let mut file = String::from("name,description,price,quantity,category,is_active\n");
    for n in 0..420 {
        let (kind, mark) = (KINDS[n % KINDS.len()], MARKS[n * 7 % MARKS.len()]);
        let other = KINDS[n * 5 % KINDS.len()];
        let name = if n % 3 == 0 { format!("{kind} {mark} {n}") } else { format!("{mark} {kind} with {other} no {n}") };
        let long = "A light, a lamp and another lamp. ".repeat(n % 40);
        let category = ["", "Home", "Home > Light", "Home > Light > Small", "Garden"][n % 5];
        let on_sale = n % 11 != 0;
        file += &format!("{name},\"{long}for {other}\",{}.00,{},{category},{on_sale}\n", n % 17, n % 4);
    }
    shop.import(file).await.expect(200);
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

#[tokio::test]
async fn edits_are_found_at_once_here_and_soon_elsewhere() {
    let (_database, here, _jobs) = two_ways().await;
    let there = here.another(InventoryConfig::default()).await;
    let _others = run_jobs(&there);
    let (top, other) = (here.category("Top", None).await, here.category("Other", None).await);
    whole(&here).await;
    whole(&there).await;
    let body = json!({"name": "Kettle", "price": 5, "quantity": 7, "category_id": other});
    let kettle = id(&here.admin("POST", "/v1/products", body).await.expect(201));
    let one = format!("/v1/products/{kettle}");
    assert_eq!(found(&here, "q=kettle").await, [kettle]);
    becomes(&there, "q=kettle", &[kettle]).await;

    here.admin("PATCH", &one, json!({"name": "Teapot", "price": 9})).await.expect(200);
    for (query, wanted) in [("q=kettle", vec![]), ("q=teapot", vec![kettle]), ("q=teapot&max_price=8", vec![])] {
        assert_eq!(found(&here, query).await, wanted, "{query}");
        becomes(&there, query, &wanted).await;
    }

    let under_top = format!("q=teapot&category_id={top}");
    assert_eq!(found(&here, &under_top).await, [0; 0]);
    here.admin("PATCH", &format!("/v1/categories/{other}"), json!({"parent_id": top, "name": "New"})).await.expect(200);
    assert_eq!(found(&here, &under_top).await, [kettle]);
    becomes(&there, &under_top, &[kettle]).await;
    for shop in [&here, &there] {
        let facets = shop.get("/v1/products?q=teapot&facets=category").await.expect(200)["facets"].clone();
        assert_eq!(facets["categories"][1], json!({"category_id": other, "name": "New", "count": 1}), "{facets}");
    }

    here.admin("DELETE", &one, Value::Null).await.expect(204);
    assert_eq!(found(&here, "q=teapot").await, [0; 0]);
    becomes(&there, "q=teapot", &[]).await;
    here.admin("PATCH", &one, json!({"is_active": true})).await.expect(200);
    assert_eq!(found(&here, "q=teapot").await, [kettle]);
    becomes(&there, "q=teapot", &[kettle]).await;

    here.import("name,price,category\nLadle,1.00,Spoons > Big\n").await.expect(200);
    assert_eq!(found(&here, "q=ladle").await.len(), 1);
    let ladle = found(&here, "q=ladle").await;
    becomes(&there, "q=ladle", &ladle).await;
    // Whoever edits, and however.
    let owner = Db::new(here.database.owner_config(), 1).unwrap();
    owner.execute("UPDATE products SET name = 'Scoop' WHERE name = 'Ladle'", &[]).await.unwrap();
    for shop in [&here, &there] {
        becomes(shop, "q=scoop", &ladle).await;
        assert!(found(shop, "q=ladle&sort=newest").await.is_empty());
    }
}

#[tokio::test]
async fn a_process_that_heard_nothing_for_a_while_finds_nothing_old() {
    let (database, memory, _jobs) = two_ways().await;
    let kettle = memory.product("Kettle", 5, 7).await;
    whole(&memory).await;
    let admin = Db::new(memory.database.admin_config(), 1).unwrap();
    let listening = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND (query LIKE '-- The stock of the products that shoppers look at%' OR query = 'LISTEN catalogue')";
    for round in 0..3 {
        assert!(!admin.rows(listening, &[]).await.unwrap().is_empty(), "somebody listens");
        let name = format!("Teapot{round}");
        admin.execute("UPDATE products SET name = $1 WHERE id = $2", &[&name, &kettle]).await.unwrap();
        becomes(&memory, &format!("q={name}"), &[kettle]).await;
        whole(&memory).await;
        assert_eq!(found(&memory, &format!("q={name}")).await, [kettle]);
        assert_eq!(found(&database, &format!("q={name}")).await, [kettle]);
    }
}

#[tokio::test]
async fn an_index_without_room_leaves_searches_to_the_database() {
    let config = InventoryConfig { search_bytes_max: 20_000, ..InventoryConfig::default() };
    let shop = Shop::open_with(config).await;
    let kettle = shop.product("Kettle", 5, 7).await;
    let _jobs = run_jobs(&shop);
    whole(&shop).await;
    fill(&shop).await;
    assert!(!shop.inventory.searches_in_memory());
    assert_eq!(found(&shop, "q=kettle&sort=newest&limit=100").await.last(), Some(&kettle));
    // What comes later makes it no smaller.
    let teapot = shop.product("Teapot", 5, 7).await;
    assert_eq!(found(&shop, "q=teapot").await, [teapot]);
    assert!(!shop.inventory.searches_in_memory());
}
