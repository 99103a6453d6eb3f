//! Back to a moment while orders flow, to a mark, and to a place in the log.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use estore_ops::pitr::archive_status;
use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::Shop;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::setup::{Archived, wait_for};

/// Buyers at once.
const BUYERS: usize = 6;
/// What may be lost at most, by the default settings.
const RPO_SECONDS_MAX: i64 = 60;

/// Customers who order until told to stop, or until the shop cannot; answers what each was answered, and when.
async fn buyers(shop: &Shop, stop: &Arc<AtomicBool>) -> JoinSet<Vec<(i64, Timestamp)>> {
    let admin = Client::admin(shop).await;
    let mut set = JoinSet::new();
    for _ in 0..BUYERS {
        let product = admin.product(500, 1_000_000).await;
        let buyer = Client::customer(shop).await;
        let (card, stop) = (buyer.card(CARD_APPROVED).await, Arc::clone(stop));
        set.spawn(async move {
            let mut book = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = buyer.order(&format!("{}-{}", buyer.email, book.len()), product, 1, card).await;
                if answer.status != 201 {
                    break;
                }
                book.push((answer.id(), Timestamp::now()));
            }
            book
        });
    }
    set
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_up_to_a_dropped_table_comes_back() {
    let mut archived = Archived::not_yet().await;
    let out = archived.set_up();
    assert!(out.contains("RESTART"), "a running server takes it up at its next start: {out}");
    let (ok, _, said) = archived.shop.try_estore(&["backup", "pitr", "create"], "");
    assert!(!ok && said.contains("restart estore"), "{said}");
    assert!(archived.shop.stop());
    archived.shop.start_processes().await;
    let status = archived.json(&["backup", "pitr", "check"]);
    assert_eq!((status["is_on"].as_bool(), status["timeout_seconds"].as_i64()), (Some(true), Some(30)));
    archived.shop.estore(&["backup", "pitr", "create"], "");

    let stop = Arc::new(AtomicBool::new(false));
    let buying = buyers(&archived.shop, &stop).await;
    // From one segment that is sent because its time has come to the next: what would be lost just before it is.
    let server = archived.shop.database(Service::Payments).await;
    let sent = async |after: i64| {
        wait_for("a segment that is sent in time", async || {
            let status = archive_status(&server).await.unwrap();
            (status.archived_count > after).then_some(status)
        })
        .await
    };
    let first = sent(archive_status(&server).await.unwrap().archived_count).await;
    let diff = archived.json(&["backup", "pitr", "create", "--type", "diff"]);
    assert_eq!(diff["kind"], "differential");
    let before = sent(first.archived_count).await;
    let after = sent(before.archived_count).await;
    let gap = after.last_archived_at.unwrap().as_second() - before.last_archived_at.unwrap().as_second();
    println!("RPO under load: at most {gap} s from one segment to the next");
    assert!(gap <= RPO_SECONDS_MAX, "{gap} s");

    // It waits for the buyers' locks, and may be the one that gives way.
    let instant = wait_for("a dropped table", async || {
        let instant = archived.now().await;
        server.batch_execute("DROP TABLE orders CASCADE").await.is_ok().then_some(instant)
    })
    .await;
    drop(server);
    let books: Vec<(i64, Timestamp)> = buying.join_all().await.into_iter().flatten().collect();
    stop.store(true, Ordering::Relaxed);
    let lost_without = archived.json(&["backup", "pitr", "info"]);
    let end: Timestamp = lost_without["ends_at"].as_str().unwrap().parse().unwrap();
    println!("archived by itself up to {} s before the drop", instant.as_second() - end.as_second());
    assert!(instant.as_second() - end.as_second() <= RPO_SECONDS_MAX);
    archived.shop.estore(&["backup", "pitr", "check"], "");

    let begun = Instant::now();
    let (ok, said) = archived.restore(&instant.to_string(), "restored");
    assert!(ok, "{said}");
    println!("RTO: {:?} with the replay of {} orders", begun.elapsed(), books.len());
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(said["committed_at"].as_str().unwrap().parse::<Timestamp>().unwrap() <= instant, "{said}");

    archived.go_on_as("restored").await;
    let verified = async || archived.shop.try_estore(&["verify"], "").0.then_some(());
    wait_for("a shop whose every promise is kept", verified).await;
    let orders = archived.orders().await;
    let answered: Vec<i64> = books.iter().filter(|(_, at)| *at < instant).map(|(id, _)| *id).collect();
    assert!(answered.len() > BUYERS, "{} orders were answered before the drop", answered.len());
    for id in &answered {
        assert_eq!(orders.get(id), Some(&(1, "paid".to_owned())), "order {id} was answered before {instant}");
    }
    let under_way = orders.len() - answered.len();
    assert!(under_way <= BUYERS, "{under_way} more than were answered, by {BUYERS} buyers");
    println!("{} orders answered before the drop are there once each, {under_way} were under way", answered.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_places_in_the_log_and_what_lies_outside() {
    let mut archived = Archived::start().await;
    let (admin, buyer) = (Client::admin(&archived.shop).await, Client::customer(&archived.shop).await);
    let (product, card) = (admin.product(700, 50).await, buyer.card(CARD_APPROVED).await);
    let order = async |key: &str| buyer.order(key, product, 1, card).await.expect(201).id();
    let first = order("first").await;
    let mark = archived.json(&["backup", "mark", "after-the-first"]);
    let (ok, _, said) = archived.shop.try_estore(&["backup", "mark", "after-the-first"], "");
    assert!(!ok && said.contains("there is one of that name"), "{said}");
    let second = order("second").await;
    let payments = archived.shop.database(Service::Payments).await;
    let lsn: String = payments.query_one("SELECT pg_current_wal_insert_lsn()::text", &[]).await.unwrap().get(0);
    let third = order("third").await;
    drop(payments);

    let window = archived.json(&["backup", "pitr", "info"]);
    assert_eq!(window["marks"][0]["name"], "after-the-first");
    assert_eq!(window["bases"][0]["kind"], "full");
    // What is not archived yet cannot be brought back, and is told before anything is begun.
    for (to, reason) in [
        (Timestamp::now().to_string(), "the last transaction that is archived"),
        ("FFFF/0".to_owned(), "the end of what is archived"),
        ("2020-01-01T00:00:00Z".to_owned(), "no base backup was whole before it"),
        ("before-the-first".to_owned(), "there is no mark of that name"),
        ("yesterday at noon".to_owned(), "a time with its zone"),
    ] {
        let (ok, said) = archived.restore(&to, "refused");
        assert!(!ok && said.contains(reason), "{to}: {said}");
        assert!(!Path::new(&archived.path("refused")).exists(), "{to}");
    }
    archived.shop.estore(&["backup", "pitr", "check"], "");
    archived.shop.stop();

    for (to, name, wanted) in [
        ("after-the-first", "at-mark", vec![first]),
        (mark["lsn"].as_str().unwrap(), "at-mark-lsn", vec![first]),
        (lsn.as_str(), "at-lsn", vec![first, second]),
        ("latest", "at-end", vec![first, second, third]),
    ] {
        let (ok, said) = archived.restore(to, name);
        assert!(ok, "{to}: {said}");
        let (ok, said) = archived.restore(to, name);
        assert!(!ok && said.contains("already holds a PostgreSQL"), "{said}");
        let home = Path::new(&archived.path(name)).to_owned();
        assert!(!home.join("postgres/archive").exists() && !home.join("restoring").exists());
        let settings = std::fs::read_to_string(home.join("postgres/data/postgresql.auto.conf")).unwrap();
        assert!(!settings.contains("recovery") && !settings.contains("archive"), "{settings}");
        archived.go_on_as(name).await;
        assert_eq!(archived.orders().await.into_keys().collect::<Vec<_>>(), wanted, "{to}");
        archived.shop.stop();
    }
}
