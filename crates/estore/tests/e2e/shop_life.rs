//! Starting, stopping and starting again.

use std::path::PathBuf;
use std::process::Command;

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use uuid::Uuid;

use crate::own_shop;

/// The PostgreSQL processes that work in a data directory.
fn postgres_of(shop: &Shop) -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let folders = processes.filter_map(|entry| std::fs::read_link(entry.path().join("cwd")).ok());
    folders.filter(|folder| folder.starts_with(&shop.address.data_dir)).collect()
}

#[tokio::test]
async fn a_stop_leaves_nothing_running_and_a_start_finds_everything() {
    let mut shop = own_shop(Processes::One).await;
    let admin = Client::admin(&shop).await;
    let product = admin.product(100, 3).await;
    assert!(!postgres_of(&shop).is_empty());
    assert!(shop.stop(), "the shop ends with success on SIGTERM");
    assert_eq!(postgres_of(&shop), Vec::<PathBuf>::new());
    shop.start_processes().await;
    let _found = Client::anonymous(&shop).get(&format!("/v1/products/{product}")).await.expect(200);
}

#[tokio::test]
async fn a_second_shop_on_the_same_folder_says_so() {
    let shop = own_shop(Processes::One).await;
    let (ok, _, err) = shop.try_estore(&["up", "--listen", "127.0.0.1:0"], "");
    assert!(!ok);
    assert!(err.contains("another estore"), "{err}");
    let _still_there = Client::anonymous(&shop).get("/health/ready").await.expect(200);
}

#[tokio::test]
async fn a_killed_shop_takes_over_its_orphan_and_keeps_every_order() {
    let mut shop = own_shop(Processes::One).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 5).await;
    let key = Uuid::now_v7().to_string();
    let before = buyer.order(&key, product, 2, method).await.expect(201);
    shop.kill_all();
    shop.start_processes().await;
    let after = buyer.order(&key, product, 2, method).await.expect(201);
    assert_eq!(after.text, before.text);
    assert_eq!(admin.get(&format!("/v1/products/{product}")).await.json["quantity"], 3);
    shop.estore(&["verify"], "");
}

#[tokio::test]
async fn the_demonstration_fills_an_empty_shop_once() {
    let mut shop = own_shop(Processes::One).await;
    shop.stop();
    let log = shop.address.data_dir.join("log");
    for _ in 0..2 {
        let listen = shop.address.users.trim_start_matches("http://").to_owned();
        let mut child = Command::new(crate::ESTORE)
            .args(["up", "--demo", "--listen", &listen, "--data-dir"])
            .arg(&shop.address.data_dir)
            .stdout(std::process::Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        shop.wait_until_ready().await;
        let visitor = Client::anonymous(&shop);
        let (mut count, mut cursor) = (0, String::new());
        loop {
            let page = visitor.get(&format!("/v1/products?limit=100{cursor}")).await.expect(200).json;
            count += page["data"].as_array().unwrap().len();
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(count, 270);
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap()),
            nix::sys::signal::Signal::SIGINT,
        )
        .unwrap();
        assert!(child.wait().unwrap().success());
        let told = std::fs::read_to_string(&log).unwrap();
        let (_, end) = told.split_once("stopping").expect("it says that it stops");
        assert!(!end.contains("WARN") && !end.contains("ERROR"), "an ordinary end is nothing to worry about: {end}");
    }
}

#[tokio::test]
async fn commands_explain_themselves() {
    let shop = own_shop(Processes::One).await;
    assert!(shop.estore(&["db", "url", "users"], "").starts_with("postgresql:///estore_users?host="));
    assert!(shop.estore(&["db", "migrate", "up"], "").contains("nothing is pending"));
    assert!(shop.estore(&["db", "migrate", "status", "--json"], "").contains("\"applied_at\""));
    assert!(shop.estore(&["doctor"], "").contains("PostgreSQL"));
    let (ok, _, err) = shop.try_estore(&["admin", "create", "--email", "x@shop.test"], "short");
    assert!(!ok && err.contains("password"), "{err}");
    let output = Command::new(crate::ESTORE).env("ESTORE_PAYMENTS__CURRENZY", "EUR").arg("doctor").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("currenzy"));
    let help = Command::new(crate::ESTORE).arg("--help").output().unwrap();
    for command in ["up", "serve", "db", "admin", "import", "verify", "doctor"] {
        assert!(String::from_utf8_lossy(&help.stdout).contains(command), "{command}");
    }
}
