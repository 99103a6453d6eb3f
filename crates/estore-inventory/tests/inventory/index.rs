//! The search index in memory, beside the database that it must agree with, in a process that edits and in one that hears.

mod searches;

use std::time::{Duration, Instant};

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
