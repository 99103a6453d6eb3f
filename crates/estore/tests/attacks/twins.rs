//! Two processes of each service at once on the same databases, as behind a load balancer: nothing is done twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use estore_ops::roles::Service;
use estore_testkit::client::Client;
use estore_testkit::receiver::Receiver;
use estore_testkit::shop::{DATABASE, INVENTORY, PAYMENTS, Processes, Shop, TWIN, USERS};
use serde_json::json;
use tokio::task::JoinSet;

use crate::buyers::verify_clean;
use crate::crash_loop::{Entry, Market, compare, survive_kills};
use crate::{amount, books, own_shop};

const BUYERS: u64 = 24;
const RESUME_TIME_MAX: Duration = Duration::from_secs(60);

async fn twins() -> Shop {
    let mut shop = own_shop(Processes::Three).await;
    shop.start_twins(&[]).await;
    shop
}

/// Buyers at both, until `meanwhile` is over; their books.
async fn buy_during(market: &Market, meanwhile: impl Future<Output = ()>) -> Vec<Entry> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut buyers: JoinSet<Vec<Entry>> =
        (0..BUYERS).map(|n| Box::pin(market.clone().buy(n, Arc::clone(&stop)))).collect();
    meanwhile.await;
    stop.store(true, Ordering::Relaxed);
    let mut entries = Vec::new();
    while let Some(book) = buyers.join_next().await {
        entries.extend(book.expect("a buyer's book"));
    }
    entries
}

fn bought(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.status == 201).count()
}

/// Kills of one twin at a time; the other goes on, and takes up what was left.
#[tokio::test(flavor = "multi_thread")]
async fn random_kills_of_twins() {
    let victims = [INVENTORY, PAYMENTS, INVENTORY + TWIN, PAYMENTS + TWIN, USERS, USERS + TWIN, DATABASE];
    survive_kills(twins().await, &victims, amount("ESTORE_TEST_KILLS", 4)).await;
}

/// Relays, mailers and deliverers of both run all the time: each event is delivered once, each letter written once.
#[tokio::test(flavor = "multi_thread")]
async fn twins_tell_everything_once() {
    let shop = twins().await;
    let receiver = Receiver::start().await;
    let body = json!({ "url": receiver.url, "events": ["all"], "description": "twins" });
    let _made = Client::admin(&shop).await.post("/v1/webhook-endpoints", &body).await.expect(201);
    let market = Market::open(&shop).await;
    let pause = Duration::from_millis(amount("ESTORE_TEST_TWINS_MS", 2_000));
    let entries = buy_during(&market, tokio::time::sleep(pause)).await;
    verify_clean(&shop, RESUME_TIME_MAX).await;
    compare(&shop, &market, &entries).await;
    let events = "SELECT count(*) FROM webhook_deliveries";
    let wanted = usize::try_from(books::number(&shop, Service::Payments, events).await).unwrap();
    let told = receiver.heard(wanted, |_| true).await;
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    told.iter().for_each(|message| *times.entry(message.header("webhook-id")).or_default() += 1);
    times.retain(|_, count| *count > 1);
    assert!(times.is_empty(), "told more than once: {times:?}");
    let letters = shop.mails_holding("Thank you for your order.", bought(&entries)).await;
    assert_eq!(letters, bought(&entries), "a letter for each checkout");
    println!("{} requests, {} bought, {} events told once each", entries.len(), bought(&entries), told.len());
    assert!(bought(&entries) > 0, "nobody bought anything");
}

/// A twin stands still for longer than its leases last, and then goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_twin_that_stood_still_does_nothing_twice() {
    let shop = twins().await;
    let market = Market::open(&shop).await;
    let stands = Duration::from_millis(amount("ESTORE_TEST_STAND_STILL_MS", 1_500));
    let entries = buy_during(&market, async {
        for which in [PAYMENTS, INVENTORY + TWIN, PAYMENTS + TWIN, INVENTORY] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            shop.pause(which);
            tokio::time::sleep(stands).await;
            shop.resume(which);
        }
    })
    .await;
    let closed = verify_clean(&shop, RESUME_TIME_MAX).await;
    compare(&shop, &market, &entries).await;
    let closed = closed.as_millis();
    println!("{} requests, {} bought; books closed after {closed} ms", entries.len(), bought(&entries));
    assert!(bought(&entries) > 0, "nobody bought anything");
}
