//! What the databases of a shop are doing, as the manual has it.

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use serde_json::Value;
use uuid::Uuid;

use crate::own_shop;

fn json(shop: &Shop, words: &[&str]) -> Value {
    let out = shop.estore(&[&["db", "stats", "--json"], words].concat(), "");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// A statement of payments by its query file.
fn statement<'a>(told: &'a Value, name: &str) -> Option<&'a Value> {
    let payments = told["databases"].as_array().unwrap().iter().find(|one| one["service"] == "payments").unwrap();
    payments["statements"]["statements"].as_array().unwrap().iter().find(|one| one["name"] == name)
}

#[tokio::test]
async fn the_statements_of_an_order_are_told_by_their_files_within_a_window() {
    let shop = own_shop(Processes::One).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let (product, card) = (admin.product(500, 100).await, buyer.card(CARD_APPROVED).await);
    let order = async || buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.expect(201);
    let _first = order().await;
    json(&shop, &["--save", "before"]);
    for _ in 0..3 {
        let _order = order().await;
    }
    let told = json(&shop, &["--since", "before"]);
    let written = statement(&told, "payments/write_checkouts").unwrap_or_else(|| panic!("{told}"));
    assert_eq!((&written["calls"], &written["role"]), (&3.into(), &"estore_payments_writer".into()));
    assert!(!written["statement"].as_str().unwrap().contains('\''));
    let whole = json(&shop, &["statements"]);
    assert!(statement(&whole, "payments/write_checkouts").unwrap()["calls"].as_i64().unwrap() >= 4);
    // The monitor's role sees every section of every database.
    assert_eq!(told["servers"].as_array().unwrap().len(), 1);
    assert_eq!(told["servers"][0]["role"], "estore_monitor");
    let text = told.to_string();
    assert!(!text.contains("\"unseen\""), "{text}");
    for one in told["databases"].as_array().unwrap() {
        assert!(one["tables"].as_array().unwrap().iter().any(|table| table["total_bytes"].as_i64() > Some(0)), "{one}");
        assert!(one["sequences"].as_array().unwrap().iter().all(|sequence| sequence["is_visible"] == true), "{one}");
        // Every statement that a service sends is known; what is not is PostgreSQL's or the migrations' own.
        let app = one["statements"]["statements"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| ["_app", "_writer"].iter().any(|end| one["role"].as_str().unwrap().ends_with(end)));
        let unknown: Vec<&Value> = app.filter(|one| one["name"].is_null()).collect();
        eprintln!("{} statements without a file: {unknown:#?}", unknown.len());
    }
    // What comes of the shop's own hour is stored.
    let hours = std::fs::read_dir(shop.address.data_dir.join("stats")).unwrap().flatten();
    assert!(hours.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with("look-hour-")));
    let advised = json(&shop, &["indexes", "--evidence-days", "0"]);
    eprintln!("{}", serde_json::to_string_pretty(&advised["databases"][2]["advice"]).unwrap());
}

#[tokio::test]
async fn people_read_it_without_colours_and_mistakes_are_told() {
    let shop = own_shop(Processes::One).await;
    let out = shop.estore(&["db", "stats", "--window", "1s", "--top", "3"], "");
    println!("{out}");
    for heading in [
        "Statements, the dearest first",
        "Slow statements, by the server's log",
        "Log-ins that were refused",
        "Cache, transactions, sessions",
        "Tables, the largest first",
        "Indexes, the largest first",
        "Advice on indexes",
        "Unused room",
        "Numbers left",
        "Transaction numbers in use",
        "Clients",
        "Who waits for whom",
        "Archiving of the write-ahead log",
    ] {
        assert!(out.contains(heading), "{heading} is not in\n{out}");
    }
    assert!(!out.contains('\u{1b}'), "colours are off");
    let only = shop.estore(&["db", "stats", "locks", "--database", "users"], "");
    assert!(only.contains("Nobody waits for a lock.") && !only.contains("Statements,"), "{only}");
    for (words, expected) in [
        (vec!["--since", "nothing"], "take one first: estore db stats --save nothing"),
        (vec!["--since", "300d"], "no look in"),
        (vec!["--window", "10"], "write a number and s, m, h or d"),
        (vec!["--save", "../x"], "a look's name is"),
        (vec!["nonsense"], "possible values"),
    ] {
        let (ok, _, err) = shop.try_estore(&[&["db", "stats"], words.as_slice()].concat(), "");
        assert!(!ok && err.contains(expected), "{words:?}: {err}");
    }
}

#[tokio::test]
async fn a_shop_that_is_down_is_told_with_the_mend() {
    let mut shop = own_shop(Processes::One).await;
    assert!(shop.stop());
    let (ok, out, _) = shop.try_estore(&["db", "stats"], "");
    assert!(!ok && out.contains("payments") && out.contains("mend:"), "{out}");
}

#[tokio::test]
async fn who_reads_no_further_is_told_nothing() {
    let shop = own_shop(Processes::One).await;
    let mut asked = shop.begin_estore(&["db", "stats"]);
    drop(asked.stdout.take());
    let ended = asked.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && !told.contains("panicked"), "{told}");
}
