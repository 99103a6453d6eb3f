//! What a copy of the databases tells of people, and the keys that it would take to read it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use estore_ops::postgres::discover;
use estore_ops::roles::Service;
use estore_testkit::client::{Answer, CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use reqwest::Method;
use serde_json::{Value, json};

use crate::own_shop;

/// How long something may take on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(60);
/// What nobody may find in a copy of the databases.
const PLANTED: [&str; 5] =
    ["Ada Lovelace", "ada.lovelace@example.com", "12 Saint James Square", "SW1Y 4LB", "+44 20 7946"];

fn attached() -> Value {
    json!({
        "campaign": "autumn-letter", "customer_name": PLANTED[0], "contactEmail": PLANTED[1],
        "shipping": {"address": {"line": PLANTED[2], "zip": PLANTED[3]}, "speed": "slow", "phones": [PLANTED[4]]},
    })
}

async fn order(buyer: &Client, key: &str, product: i64, method: i64) -> Answer {
    let body = json!({ "product_id": product, "quantity": 1, "payment_method_id": method, "metadata": attached() });
    buyer.send(Method::POST, "/v1/orders", Some(&body), &[("idempotency-key", key)]).await
}

/// Somebody with a card, and something to buy.
async fn ready(shop: &Shop) -> (Client, i64, i64) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let (product, method) = (admin.product(300, 100_000).await, buyer.card(CARD_APPROVED).await);
    (buyer, product, method)
}

fn ring(shop: &Shop) -> PathBuf {
    shop.address.data_dir.join("secrets/field-keys")
}

/// A database as `pg_dump` has it.
fn dump(shop: &Shop, database: &str) -> String {
    let url = shop.estore(&["db", "url", database], "");
    let program = discover(None).unwrap().program("pg_dump");
    let output = Command::new(program).args(["--dbname", url.trim()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn count(shop: &Shop, sql: &str) -> i64 {
    shop.database(Service::Payments).await.query_one(sql, &[]).await.unwrap().get(0)
}

/// `estore keys …` as JSON, and whether all was well.
fn keys(shop: &Shop, words: &[&str]) -> (bool, Value) {
    let (ok, out, err) = shop.try_estore(&[&["keys"], words, &["--json"]].concat(), "");
    (ok, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{err}")))
}

/// The names of the keys in a state.
fn in_state(told: &Value, state: &str) -> BTreeSet<String> {
    let keys = told["keys"].as_array().unwrap().iter().filter(|key| key["state"] == state);
    keys.map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_stolen_dump_names_nobody_who_bought() {
    let shop = own_shop(Processes::One).await;
    let (buyer, product, method) = ready(&shop).await;
    let hook = json!({ "url": "http://127.0.0.1:9/nobody", "events": ["all"] });
    let _made = Client::admin(&shop).await.post("/v1/webhook-endpoints", &hook).await.expect(201);
    let placed = order(&buyer, "k", product, method).await.expect(201);
    assert_eq!(placed.json["metadata"], attached());
    let lines = json!([{ "product_id": product, "quantity": 2 }]);
    let all = json!({ "lines": lines, "payment_method_id": method, "metadata": attached() });
    let all = buyer.send(Method::POST, "/v1/checkouts", Some(&all), &[("idempotency-key", "all")]).await.expect(201);
    assert_eq!(order(&buyer, "k", product, method).await.expect(201).text, placed.text, "the replay, byte for byte");
    let begun = Instant::now();
    while count(&shop, "SELECT count(*) FROM webhook_deliveries WHERE payload #> '{data,metadata}' <> '{}'").await < 2 {
        assert!(begun.elapsed() < TIME_MAX, "the order's webhooks are written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut told = String::new();
    for database in ["users", "inventory", "payments"] {
        told.push_str(&dump(&shop, database));
    }
    let stored = "SELECT coalesce(string_agg(encode(answer_body, 'escape'), ''), '') FROM idempotency_keys";
    told.push_str(shop.database(Service::Payments).await.query_one(stored, &[]).await.unwrap().get(0));
    assert!(told.contains("autumn-letter") && told.contains("sealed:1:"), "it is what was stored");
    assert!(told.contains(all.json["id"].as_str().unwrap()));
    for planted in PLANTED {
        let in_bytes: String = planted.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!told.contains(planted) && !told.contains(&in_bytes), "{planted} is in the dump");
    }
    let key = std::fs::read_to_string(ring(&shop)).unwrap();
    let key = key.lines().last().unwrap().split(' ').nth(2).unwrap().to_owned();
    assert!(!told.contains(&key) && !std::fs::read_to_string(log(&shop)).unwrap().contains(PLANTED[0]));

    // Whoever may see it does, and takes it away.
    let shown = buyer.get(&format!("/v1/orders/{}", placed.id())).await.expect(200);
    assert_eq!(shown.json["metadata"], attached());
    let export = buyer.get("/v1/users/me/export").await.expect(200);
    assert!(PLANTED.iter().all(|planted| export.text.contains(planted)), "{}", export.text);
    assert!(shop.estore(&["verify"], "").contains("every promise is kept"));
}

fn log(shop: &Shop) -> PathBuf {
    shop.address.data_dir.parent().unwrap().join("estore.log")
}

/// Buys until told to stop, and looks at each order; answers how many.
async fn buy_on(buyer: Client, (product, method): (i64, i64), stop: Arc<AtomicBool>) -> usize {
    let mut orders = 0;
    while !stop.load(Ordering::Relaxed) {
        let placed = order(&buyer, &format!("on-{orders}"), product, method).await.expect(201);
        let shown = buyer.get(&format!("/v1/orders/{}", placed.id())).await.expect(200);
        assert_eq!((&placed.json["metadata"], &shown.json["metadata"]), (&attached(), &attached()));
        orders += 1;
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_while_orders_flow_and_a_cut_rotation_goes_on() {
    let shop = own_shop(Processes::Three).await;
    let (buyer, product, method) = ready(&shop).await;
    let first = order(&buyer, "first", product, method).await.expect(201);
    let old = in_state(&keys(&shop, &["list"]).1, "seals");
    let old_id = old.first().unwrap().clone();
    let stop = Arc::new(AtomicBool::new(false));
    let buying = tokio::spawn(buy_on(buyer.clone(), (product, method), Arc::clone(&stop)));

    // A row of the second table is held, so that the rotation is between its tables when it dies.
    let mut holder = shop.database(Service::Payments).await;
    let held = holder.transaction().await.unwrap();
    held.execute("SELECT FROM orders WHERE id = $1::bigint::integer FOR UPDATE", &[&first.id()]).await.unwrap();
    let mut cut = shop.begin_estore(&["keys", "rotate", "--json"]);
    let under_old =
        |table: &str| format!("SELECT count(*) FROM {table} WHERE metadata::text LIKE '%sealed:1:{old_id}:%'");
    let begun = Instant::now();
    while std::fs::read_to_string(ring(&shop)).unwrap().lines().filter(|line| !line.starts_with('#')).count() < 2
        || count(&shop, &under_old("checkouts")).await > 0
    {
        assert!(begun.elapsed() < TIME_MAX, "it goes through the first table");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(cut.kill());
    cut.wait().unwrap();
    assert!(count(&shop, &under_old("orders")).await > 0, "it died on its way");
    held.rollback().await.unwrap();
    let (ok, told) = keys(&shop, &["list", "--count"]);
    assert!(ok, "all can be read: {told}");
    assert_eq!(in_state(&told, "opens"), old);

    let (ok, told) = keys(&shop, &["rotate"]);
    assert!(ok, "{told}");
    stop.store(true, Ordering::Relaxed);
    assert!(buying.await.unwrap() > 0, "orders went on");
    assert_eq!((in_state(&told, "retired"), in_state(&told, "opens").len()), (old.clone(), 0), "{told}");
    assert_eq!(in_state(&told, "seals").len(), 1, "no third key was made");
    for table in ["checkouts", "orders"] {
        assert_eq!(count(&shop, &under_old(table)).await, 0, "{table}");
    }
    let answers =
        format!("SELECT count(*) FROM idempotency_keys WHERE encode(answer_body, 'escape') LIKE '%:{old_id}:%'");
    assert_eq!(count(&shop, &answers).await, 0);
    assert_eq!(buyer.get(&format!("/v1/orders/{}", first.id())).await.expect(200).json["metadata"], attached());
    assert_eq!(order(&buyer, "first", product, method).await.expect(201).text, first.text, "replayed");
    shop.estore(&["verify"], "");
}

#[tokio::test]
async fn a_lost_key_is_named_with_the_mend_and_brought_back() {
    let mut shop = own_shop(Processes::One).await;
    let (buyer, product, method) = ready(&shop).await;
    let placed = order(&buyer, "k", product, method).await.expect(201);
    let (path, kept) = (ring(&shop), std::fs::read_to_string(ring(&shop)).unwrap());
    assert!(shop.stop());
    std::fs::remove_file(&path).unwrap();
    shop.start_processes().await;
    let buyer = Client::anonymous(&shop).logged_in(&buyer.email).await;
    let shown = buyer.get(&format!("/v1/orders/{}", placed.id())).await.expect(500);
    assert_eq!(shown.code(), "sealed_field_unreadable");
    let id = kept.lines().last().unwrap().split(' ').next().unwrap();
    let said = std::fs::read_to_string(log(&shop)).unwrap();
    assert!(said.contains(id) && said.contains("bring that key back"), "{said}");
    let (ok, told) = keys(&shop, &["list", "--count"]);
    assert!(!ok && told["rows"]["named"].to_string().contains(id), "{told}");
    let (ok, said, _) = shop.try_estore(&["verify"], "");
    assert!(!ok && said.contains(id), "{said}");
    let (ok, told) = keys(&shop, &["rotate"]);
    assert!(!ok && told["rows"]["unreadable"].as_u64() > Some(0), "{told}");

    // Its line before those that were made meanwhile; nothing has to start again.
    let new = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{}\n{new}", kept.lines().last().unwrap())).unwrap();
    assert_eq!(buyer.get(&format!("/v1/orders/{}", placed.id())).await.expect(200).json["metadata"], attached());
    let (ok, told) = keys(&shop, &["rotate"]);
    assert!(ok, "{told}");
    shop.estore(&["verify"], "");
}

#[tokio::test]
async fn what_an_older_version_left_in_plain_is_found_and_sealed() {
    let shop = own_shop(Processes::One).await;
    let (buyer, product, method) = ready(&shop).await;
    let placed = order(&buyer, "k", product, method).await.expect(201);
    let database = shop.database(Service::Payments).await;
    let plain = attached().to_string();
    let before = format!("UPDATE checkouts SET metadata = '{plain}'; UPDATE orders SET metadata = '{plain}'");
    database.batch_execute(&before).await.unwrap();
    assert_eq!(buyer.get(&format!("/v1/orders/{}", placed.id())).await.expect(200).json["metadata"], attached());
    let (ok, said, _) = shop.try_estore(&["verify"], "");
    assert!(!ok && said.contains("run `estore keys seal`") && !said.contains(PLANTED[0]), "{said}");
    let (ok, told) = keys(&shop, &["seal"]);
    assert!(ok && told["rows"]["changed"].as_u64() >= Some(2), "{told}");
    let in_plain = "SELECT count(*) FROM orders o JOIN checkouts c ON c.id = o.checkout_id
        WHERE (o.metadata, c.metadata)::text LIKE '%Lovelace%'";
    assert_eq!(count(&shop, in_plain).await, 0);
    assert_eq!(buyer.get(&format!("/v1/orders/{}", placed.id())).await.expect(200).json["metadata"], attached());
    assert!(shop.estore(&["verify"], "").contains("every promise is kept"));
    assert_eq!(keys(&shop, &["seal"]).1["rows"]["changed"], 0, "once");
}

#[test]
fn key_commands_explain_themselves() {
    let said = |words: &[&str]| {
        let output = Command::new(crate::ESTORE).args(words).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let all = said(&["keys", "--help"]);
    assert!(["list", "rotate", "seal"].iter().all(|command| all.contains(command)), "{all}");
    assert!(said(&["keys", "rotate", "--help"]).contains("while the shop goes on"));
    assert!(said(&["keys", "list", "--help"]).contains("--count"));
    assert!(said(&["keys", "seal", "--help"]).contains("in plain"));
}
