//! Holds and charges that do not wait for the disk are carried by the commit after them, or asked for again.

use std::sync::atomic::Ordering::SeqCst;

use estore_kit::db::leave_to_later;

use super::bench::{BUYER, Bench, TEA};

const APPROVED: &str = "4242 4242 4242 4242";

#[tokio::test]
async fn a_commit_is_left_to_later_on_the_named_server_and_in_its_transaction_alone() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, APPROVED).await;
    bench.order(BUYER, "first", TEA, 1, card).await.expect(201);
    let here = bench.payments.shop.server.get().expect("the order told which server it is");
    let mut client = bench.db.client().await.unwrap();
    // Servers for tests wait for no disk.
    client.batch_execute("SET synchronous_commit = on").await.unwrap();
    let elsewhere = serde_json::from_str("\"7000000000000000000/1.5\"").unwrap();
    for (named, expected) in [(&here, "off"), (&elsewhere, "on")] {
        let transaction = client.transaction().await.unwrap();
        leave_to_later(&transaction, named).await.unwrap();
        let shown = transaction.query_one("SHOW synchronous_commit", &[]).await.unwrap();
        assert_eq!(shown.get::<_, &str>(0), expected);
        transaction.commit().await.unwrap();
        let after = client.query_one("SHOW synchronous_commit", &[]).await.unwrap();
        assert_eq!(after.get::<_, &str>(0), "on");
    }
}

#[tokio::test]
async fn a_hold_is_asked_for_again_when_the_database_fell_before_the_write() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, APPROVED).await;
    // The first order tells which server it is; until then every hold waits for the disk.
    bench.order(BUYER, "first", TEA, 1, card).await.expect(201);
    assert_eq!(bench.stock.asked.load(SeqCst), 1);
    bench.stock.fall.prepare(&bench.database);
    bench.order(BUYER, "second", TEA, 1, card).await.expect(201);
    assert_eq!(bench.stock.asked.load(SeqCst), 3, "once more than there are orders");
    assert_eq!(bench.count("SELECT count(*) FROM orders WHERE status = 'paid'").await, 2);
    bench.verify().await;
}

#[tokio::test]
async fn a_hold_that_another_server_was_to_carry_is_asked_for_again() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, APPROVED).await;
    bench.payments.shop.server.note(&serde_json::from_str("\"7000000000000000000/1.5\"").unwrap());
    bench.order(BUYER, "first", TEA, 1, card).await.expect(201);
    assert_eq!(bench.stock.asked.load(SeqCst), 2, "once more, for the server that it is");
    assert_eq!(bench.count("SELECT count(*) FROM orders WHERE status = 'paid'").await, 1);
    bench.verify().await;
}

#[tokio::test]
async fn the_gateway_is_asked_again_when_the_database_fell_before_the_settlement() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, APPROVED).await;
    bench.order(BUYER, "first", TEA, 1, card).await.expect(201);
    assert_eq!(bench.gateway.sales.load(SeqCst), 1);
    bench.gateway.fall.prepare(&bench.database);
    bench.order(BUYER, "second", TEA, 1, card).await.expect(201);
    assert_eq!(bench.gateway.sales.load(SeqCst), 3, "once more than there are orders");
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_sales").await, 2, "and charged once");
    bench.verify().await;
}
