//! Readiness and the doctor: what is wrong, in which part, and the mend.

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{eventually, own_shop, psql};

/// What the doctor finds, by what was looked at.
fn doctor(shop: &Shop, environment: &[&str]) -> (bool, Value) {
    let (well, out, err) = shop.try_estore(&[&["doctor", "--json"], environment].concat(), "");
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{err}"));
    assert_eq!(told["ok"], well, "{out}");
    (well, told)
}

fn finding<'a>(told: &'a Value, what: &str) -> &'a Value {
    let found = told["findings"].as_array().unwrap().iter().find(|finding| finding["what"] == what);
    found.unwrap_or_else(|| panic!("nothing about {what} in {told}"))
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_the_mend() {
    let shop = own_shop(Processes::One).await;
    let (well, told) = doctor(&shop, &[]);
    assert!(well, "{told}");
    for part in ["users", "inventory", "payments"] {
        for what in ["connection", "version", "clock", "connections", "replication", "archiving", "migrations"] {
            assert_eq!(finding(&told, &format!("{part}: {what}"))["level"], "ok", "{told}");
        }
    }
    assert_eq!(finding(&told, "PostgreSQL programs")["level"], "ok");
    assert!(finding(&told, "disk")["told"].as_str().unwrap().contains("are free under"));
    let backups = finding(&told, "backups");
    assert!(backups["level"] == "warning" && backups["mend"].as_str().unwrap().contains("backup.target"), "{backups}");
    // A slot that nobody reads is to be looked at; a migration that is missing stops the shop's next start.
    psql(&shop, "payments", "SELECT pg_create_physical_replication_slot('forgotten', true)");
    psql(
        &shop,
        "users",
        "ALTER TABLE estore_migrations DISABLE TRIGGER USER; \
        DELETE FROM estore_migrations WHERE version = (SELECT max(version) FROM estore_migrations)",
    );
    let (well, told) = doctor(&shop, &[]);
    assert!(!well, "{told}");
    let pending = finding(&told, "users: migrations");
    assert!(pending["level"] == "wrong" && pending["mend"] == "estore db migrate up", "{pending}");
    let slot = finding(&told, "payments: replication");
    assert!(
        slot["level"] == "warning" && slot["mend"].as_str().unwrap().contains("pg_drop_replication_slot"),
        "{slot}"
    );
    let (_, shown, _) = shop.try_estore(&["doctor"], "");
    assert!(shown.contains("WRONG  users: migrations") && shown.contains("mend: estore db migrate up"), "{shown}");
}

#[tokio::test]
async fn readiness_is_degraded_and_still_200_by_what_only_should_be_looked_at() {
    let shop = own_shop(Processes::One).await;
    let nobody = Client::anonymous(&shop);
    let ready = nobody.get("/health/ready").await.expect(200);
    let names = |ready: &Value| -> Vec<String> {
        ready["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(names(&ready.json).contains(&"ended_sessions".to_owned()), "{}", ready.text);
    psql(&shop, "payments", "SELECT pg_create_physical_replication_slot('forgotten', true)");
    let told = eventually("a warning", async || {
        let ready = nobody.get("/health/ready").await.expect(200);
        names(&ready.json).iter().any(|name| name.ends_with("replication")).then_some(ready)
    })
    .await;
    assert_eq!(told.json["status"], "degraded");
    assert!(told.text.contains("pg_drop_replication_slot"), "{}", told.text);
    assert!(!told.text.contains("forgotten") && !told.text.contains("/tmp"), "no more than is useful: {}", told.text);
    psql(&shop, "payments", "SELECT pg_drop_replication_slot('forgotten')");
    eventually("the warning's end", async || {
        let ready = nobody.get("/health/ready").await.expect(200);
        (!names(&ready.json).iter().any(|name| name.ends_with("replication"))).then_some(())
    })
    .await;
}

/// All connections wait behind a lock: the shop is slow, and no less in service.
#[tokio::test]
async fn a_busy_shop_stays_ready() {
    let mut shop = own_shop(Processes::One).await;
    shop.restart(0, &[("ESTORE_CONNECTIONS", "2")]).await;
    let buyer = Client::customer(&shop).await;
    let holder = shop.database(Service::Payments).await;
    holder.batch_execute("BEGIN; LOCK TABLE payment_methods IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let mut waiting = JoinSet::new();
    for _ in 0..8 {
        let buyer = buyer.clone();
        let details = json!({ "card_number": CARD_APPROVED, "expiry_month": 12, "expiry_year": 2035, "cvc": "123" });
        let card = json!({ "payment_type": "card", "details": details });
        waiting.spawn(async move { buyer.post("/v1/payment-methods", &card).await.status });
    }
    eventually("connections that wait", async || {
        let blocked = psql(&shop, "payments", "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted");
        (blocked[0][0] == "2").then_some(())
    })
    .await;
    let nobody = Client::anonymous(&shop);
    let mut asked = 0;
    while waiting.try_join_next().is_none() {
        let _ready = nobody.get("/health/ready").await.expect(200);
        asked += 1;
    }
    assert!(asked > 0);
    holder.batch_execute("ROLLBACK").await.unwrap();
    waiting.join_all().await;
}
