//! `estore audit`, on a shop that sells.

use std::time::{Duration, Instant};

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::own_shop;

/// How long sealing may take on a busy machine.
const SEAL_TIME_MAX: Duration = Duration::from_secs(60);

fn json_of(shop: &Shop, words: &[&str]) -> (bool, Value) {
    let (ok, out, err) = shop.try_estore(&[words, &["--json"]].concat(), "");
    (ok, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

/// Waits until all that was written is sealed; what is found then.
async fn sealed(shop: &Shop, least: u64) -> Value {
    let begun = Instant::now();
    loop {
        let (ok, found) = json_of(shop, &["audit", "verify"]);
        assert!(ok, "{found:#}");
        let databases = found["databases"].as_array().unwrap();
        let waits = databases.iter().flat_map(|one| one["waiting"].as_array().unwrap()).any(|table| table["rows"] != 0);
        if !waits && databases.iter().all(|one| one["rows"].as_u64().unwrap() >= least) {
            return found;
        }
        assert!(begun.elapsed() < SEAL_TIME_MAX, "{found:#}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn what_was_done_is_shown_and_what_is_altered_is_found() {
    let shop = own_shop(Processes::One).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let (product, card) = (admin.product(500, 10).await, buyer.card(CARD_APPROVED).await);
    let _order = buyer.order(&Uuid::now_v7().to_string(), product, 1, card).await.expect(201);
    let path = format!("/v1/products/{product}");
    let headers = [("x-request-id", "price-change")];
    let _changed = admin.send(Method::PATCH, &path, Some(&json!({"price": 700})), &headers).await.expect(200);

    let (ok, shown) = json_of(&shop, &["audit", "show", "--request", "price-change"]);
    let changes = shown["changes"].as_array().unwrap();
    assert!(ok && changes.len() == 1, "{shown:#}");
    let change = &changes[0];
    assert_eq!((&change["table"], &change["key"]), (&json!("products"), &json!(product.to_string())));
    assert_eq!((&change["before"], &change["after"]), (&json!({"price": 500}), &json!({"price": 700})));
    assert_eq!(
        (&change["service"], &change["database_role"]),
        (&json!("inventory"), &json!("estore_inventory_writer"))
    );
    let user = change["user_id"].as_i64().unwrap().to_string();
    let by_key =
        ["audit", "show", "--table", "products", "--key", &product.to_string(), "--user", &user, "--since", "1h"];
    assert_eq!(json_of(&shop, &by_key).1["changes"].as_array().unwrap().len(), 2);
    let none = ["audit", "show", "--table", "products", "--until", "2020-01-01T00:00:00Z"];
    assert_eq!(json_of(&shop, &none).1["changes"], json!([]));
    let people = shop.estore(&["audit", "show", "--table", "products", "--limit", "1"], "");
    assert!(people.contains("price: 500 -> 700") && people.contains("request price-change"), "{people}");
    // Made by the command line, by nobody.
    let made = json_of(&shop, &["audit", "show", "--database", "users", "--table", "users", "--operation", "insert"]).1;
    assert!(made["changes"].as_array().unwrap().iter().any(|made| made["service"] == "estore-admin"), "{made:#}");

    let found = sealed(&shop, 3).await;
    let (ok, _, err) = shop.try_estore(&["verify"], "");
    assert!(ok, "{err}");
    let newest = found["databases"].as_array().unwrap().iter().find(|one| one["database"] == "payments").unwrap();
    let head = format!("payments:{}:{}", newest["head"]["number"], newest["head"]["head"].as_str().unwrap());
    assert!(shop.try_estore(&["audit", "verify", "--head", &head], "").0);

    // Another key signs from now on, while the shop runs; the chain holds for whom trusts either.
    let (ok, rotated) = json_of(&shop, &["audit", "rotate-key"]);
    assert!(ok && rotated["databases"].as_array().unwrap().len() == 3, "{rotated:#}");
    let _again = admin.send(Method::PATCH, &path, Some(&json!({"price": 800})), &[]).await.expect(200);
    let before = found["databases"].as_array().unwrap().iter().find(|one| one["database"] == "inventory").unwrap();
    let rows = before["rows"].as_u64().unwrap();
    let begun = Instant::now();
    loop {
        let found = sealed(&shop, 3).await;
        let after = found["databases"].as_array().unwrap().iter().find(|one| one["database"] == "inventory").unwrap();
        if after["rows"].as_u64().unwrap() > rows {
            break;
        }
        assert!(begun.elapsed() < SEAL_TIME_MAX, "{found:#}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    for key in ["from", "to"] {
        let (ok, out, _) = shop.try_estore(&["audit", "verify", "--signer", rotated[key].as_str().unwrap()], "");
        assert!(ok, "{key}: {out}");
    }

    let database = shop.database(Service::Payments).await;
    let harm = "SET session_replication_role = replica; UPDATE order_events SET user_id = user_id + 1 WHERE type = 'order.paid'";
    database.batch_execute(harm).await.unwrap();
    let (ok, out, _) = shop.try_estore(&["audit", "verify"], "");
    assert!(
        !ok && out.contains("BROKEN  payments") && out.contains("order_events: one or more of its rows were altered"),
        "{out}"
    );
    let (ok, out, _) = shop.try_estore(&["verify"], "");
    assert!(!ok && out.contains("payments: seals_fit"), "{out}");
    let mend = "UPDATE order_events SET user_id = user_id - 1 WHERE type = 'order.paid'";
    database.batch_execute(mend).await.unwrap();
    assert!(shop.try_estore(&["audit", "verify"], "").0);
    let cut = "TRUNCATE audit_seals";
    database.batch_execute(cut).await.unwrap();
    let (ok, out, _) = shop.try_estore(&["audit", "verify", "--database", "payments", "--head", &head], "");
    assert!(!ok && out.contains("anchor: seal"), "{out}");
}
