//! The alerts and the dashboard that are shipped: they hold, each is explained, and every figure they name is told.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use serde_json::Value;

use crate::page::scrape;
use crate::{eventually, own_shop, psql, shipped};

/// The alerts by name, as the file has them.
fn alerts() -> Vec<String> {
    let rules = std::fs::read_to_string(shipped("prometheus/estore.rules.yml")).unwrap();
    rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).map(str::to_owned).collect()
}

#[test]
fn every_alert_is_tried_and_explained() {
    let folder = shipped("prometheus");
    let tried: String = ["estore.rules.test.yml", "estore.slow.test.yml"]
        .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
        .concat();
    let manual = std::fs::read_to_string(shipped("../docs/operations.md")).unwrap();
    let alerts = alerts();
    assert!(alerts.len() > 30, "{alerts:?}");
    for alert in &alerts {
        assert!(tried.contains(&format!("  - name: {alert}\n")), "{alert} is not tried");
        assert!(manual.contains(&format!("| `{alert}` |")), "{alert} is not explained in docs/operations.md");
    }
    for line in manual.lines().filter_map(|line| line.strip_prefix("| `EStore")) {
        let name = format!("EStore{}", line.split('`').next().unwrap());
        assert!(alerts.contains(&name), "docs/operations.md explains {name}, which is no alert");
    }
}

#[test]
fn the_rules_hold() {
    let Some(prometheus) = std::env::var_os("ESTORE_TEST_PROMETHEUS") else {
        eprintln!("skipped: ESTORE_TEST_PROMETHEUS does not name prometheus; script/test installs it.");
        return;
    };
    let promtool = std::path::Path::new(&prometheus).with_file_name("promtool");
    let folder = shipped("prometheus");
    for words in [
        &["check", "config", "--syntax-only", "prometheus.yml"][..],
        &["check", "rules", "estore.rules.yml"],
        &["test", "rules", "estore.rules.test.yml", "estore.slow.test.yml"],
    ] {
        let output = Command::new(&promtool).args(words).current_dir(&folder).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "promtool {words:?}: {told}");
    }
}

/// Words of expressions that are figures of ours.
fn figures(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let is_ours = |word: &&str| ["pg_", "estore_", "process_"].iter().any(|prefix| word.starts_with(prefix));
    // Names of databases and roles are between quotes.
    let quoted = |word: &&str| expression.contains(&format!("\"{word}"));
    words.filter(is_ours).filter(|word| !quoted(word)).map(str::to_owned).collect()
}

fn named_by_rules() -> BTreeSet<String> {
    let rules = std::fs::read_to_string(shipped("prometheus/estore.rules.yml")).unwrap();
    let told = |line: &&str| !line.trim().starts_with("summary:") && !line.trim().starts_with('#');
    let expressions: Vec<&str> = rules.lines().filter(told).filter(|line| !line.contains("- name:")).collect();
    expressions.iter().flat_map(|line| figures(line)).collect()
}

fn named_by_dashboard() -> BTreeSet<String> {
    let text = std::fs::read_to_string(shipped("grafana/estore.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut named = BTreeSet::new();
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten()) {
        let found = figures(target["expr"].as_str().unwrap());
        assert!(!found.is_empty(), "{target}");
        named.extend(found);
    }
    named
}

/// A shop with a backup that is proven, a standby's reader and everything else that figures are of.
async fn a_shop_with_everything(shop: &mut Shop, folder: &std::path::Path) {
    let identity = folder.join("identity");
    let out = shop.estore(&["backup", "keygen", identity.to_str().unwrap()], "");
    let recipient = out.lines().find_map(|line| line.strip_prefix("Recipient: ")).unwrap().to_owned();
    let target = format!("file://{}/target", folder.display());
    shop.estore(&["backup", "create", "--target", &target, "--recipient", &recipient], "");
    shop.estore(&["backup", "verify", "--target", &target, "--identity", identity.to_str().unwrap()], "");
    shop.restart(0, &[("ESTORE_BACKUP__TARGET", &target)]).await;
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 5).await;
    let _bought = buyer.order("one", product, 1, method).await.expect(201);
}

#[tokio::test]
async fn every_figure_that_is_named_is_told() {
    let mut shop = own_shop(Processes::One).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    a_shop_with_everything(&mut shop, folder.path()).await;
    psql(&shop, "payments", "SELECT pg_create_physical_replication_slot('reader', true)");
    let url = shop.estore(&["db", "url", "payments"], "");
    let receive = estore_ops::postgres::discover(None).unwrap().program("pg_receivewal");
    let log = folder.path().join("log");
    std::fs::create_dir(&log).unwrap();
    let mut reader = Command::new(receive)
        .args(["-S", "reader", "-D", log.to_str().unwrap(), "-d", url.trim()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut named: BTreeSet<String> = named_by_rules().union(&named_by_dashboard()).cloned().collect();
    // A shop with a certificate is not scraped here: tests/e2e/https.rs looks at it.
    assert!(named.remove("estore_certificate_ends_seconds"));
    assert!(named.len() > 60, "{named:?}");
    let missing = eventually("every figure", async || {
        let page = scrape(&shop, &shop.address.users).await;
        let told = page.names();
        let missing: Vec<&String> = named.iter().filter(|name| !told.contains(name.as_str())).collect();
        println!("missing: {missing:?}");
        missing.is_empty().then_some(page)
    })
    .await;
    drop(reader.kill());
    drop(reader.wait());
    let (age, proven) =
        (missing.one("estore_backup_age_seconds", &[]), missing.one("estore_backup_verified_age_seconds", &[]));
    assert!(age == proven && (0.0..600.0).contains(&age), "{age} {proven}");
    assert_eq!((missing.one("estore_backup_sets", &[]), missing.one("estore_backup_drill_passed", &[])), (1.0, 1.0));
    let restore = missing.one("estore_backup_restore_seconds", &[]);
    assert!(restore > 0.0 && restore < 600.0, "{restore}");
}
