//! The three databases show one moment, and writers are held back briefly or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use estore_ops::backup::{BackupError, FencePolicy, create, silent};
use estore_ops::connection::Connection;

use crate::setup::{Shop, connect};

/// Writes the same numbers to two databases in turn, as fast as it can, until told to stop.
async fn write(shop: &Shop, from: i64, stop: Arc<AtomicBool>, slowest: Arc<AtomicU64>) -> tokio::task::JoinHandle<i64> {
    let payments = Connection::open(&shop.payments.app_config()).await.unwrap();
    let inventory = Connection::open(&shop.inventory.app_config()).await.unwrap();
    tokio::spawn(async move {
        let mut number = from;
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            for database in [&payments, &inventory] {
                database.execute("INSERT INTO writes VALUES ($1)", &[&number]).await.unwrap();
            }
            slowest.fetch_max(u64::try_from(begun.elapsed().as_micros()).unwrap(), Ordering::Relaxed);
            number += 1;
        }
        number - from
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_moment_of_all_under_load() {
    let shop = Shop::new().await;
    let (stop, slowest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    const WRITERS: i64 = 4;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push(write(&shop, writer * 1_000_000_000, Arc::clone(&stop), Arc::clone(&slowest)).await);
    }
    for _ in 0..3 {
        let manifest = shop.back_up().await.manifest;
        let rows = |database: usize| manifest.databases[database].contents.tables["writes"].rows;
        let (inventory, payments) = (rows(1), rows(2));
        println!(
            "fence {} µs, try {}; payments {payments}, inventory {inventory}",
            manifest.fence.micros, manifest.fence.tries
        );
        assert!(manifest.fence.held);
        assert!(payments >= inventory && payments - inventory <= WRITERS, "payments {payments}, inventory {inventory}");
    }
    stop.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    println!("{written} writes meanwhile, the slowest took {} µs", slowest.load(Ordering::Relaxed));
    assert!(written > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_does_not_end_is_not_waited_for() {
    let shop = Shop::new().await;
    let payments = connect(&shop.payments).await;
    payments.batch_execute("BEGIN; INSERT INTO orders (user_id, total_amount) VALUES ('1', 1)").await.unwrap();

    let mut options = shop.options();
    options.fence.tries_max = 3;
    // The writer ends after it only, so that it ends at all says that it does not wait.
    let error = create(&shop.sources(), &shop.target, &options, &silent).await.unwrap_err();
    assert!(matches!(error, BackupError::Fence { tries: 3 }), "{error}");
    assert!(error.to_string().contains("--no-fence"));

    options.fence.policy = FencePolicy::Preferred;
    let manifest = create(&shop.sources(), &shop.target, &options, &silent).await.unwrap().manifest;
    assert!(!manifest.fence.held && manifest.fence.tries == 3);
    options.fence.policy = FencePolicy::None;
    let manifest = create(&shop.sources(), &shop.target, &options, &silent).await.unwrap().manifest;
    assert!(!manifest.fence.held && manifest.fence.tries == 0);
    assert_eq!(manifest.databases[2].contents.tables["orders"].rows, 1000, "what is not committed is not in it");

    payments.batch_execute("COMMIT").await.unwrap();
    let manifest = shop.back_up().await.manifest;
    assert!(manifest.fence.held);
    assert_eq!(manifest.databases[2].contents.tables["orders"].rows, 1001);
}
