//! What a crash, a lost answer or a slow process leaves behind is finished or undone.

mod steps;

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use estore_api::inventory::{HoldLine, HoldRequest, InventoryApi};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::steps::Steps;
use super::bench::{BUYER, Bench, LAST, TEA};
use crate::gateway::{ClosedSale, Gateway, SaleOutcome};
use crate::operations::relay_outbox::relay_outbox;
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::sweep_orphans::sweep_orphans;
use crate::service::now;
use crate::store::keys;

#[tokio::test]
async fn a_crash_after_the_key_frees_the_key() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    steps.take().await;
    assert_eq!(steps.retry().await.expect(409).code(), "request_in_progress");
    steps.resume().await;
    steps.retry().await.expect(201);
    bench.verify().await;
}

#[tokio::test]
async fn a_crash_after_the_hold_releases_it() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    steps.take().await;
    steps.hold().await;
    steps.resume().await;
    assert_eq!((bench.stock.holds("released"), bench.stock.left(TEA)), (1, 100_000));
    steps.retry().await.expect(201);
    bench.verify().await;
}

#[tokio::test]
async fn a_writer_that_was_given_up_writes_nothing() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    steps.hold().await;
    steps.resume().await;
    bench.stock.state.lock().unwrap().holds.remove(&steps.id);
    assert!(steps.write(&method).await.is_none());
    assert_eq!(bench.count("SELECT count(*) FROM checkouts").await, 0);
}

#[tokio::test]
async fn a_writer_whose_key_is_being_undone_or_anothers_writes_nothing() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    steps.hold().await;
    assert!(keys::fence(&bench.db, BUYER, "k", steps.id).await.unwrap());
    assert!(steps.write(&method).await.is_none(), "under a fenced key");
    // The same key was freed and is taken by the next request, which is on its way.
    let taken = "UPDATE idempotency_keys SET state = 'running', resource_id = gen_random_uuid() WHERE key = 'k'";
    bench.db.execute(taken, &[]).await.unwrap();
    assert!(steps.write(&method).await.is_none(), "under another's key");
    assert_eq!(bench.count("SELECT count(*) FROM checkouts").await, 0);
}

#[tokio::test]
async fn a_key_lost_by_a_crash_of_the_database_stops_its_writer() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    // The commit of a key does not wait for the disk: this is what a crash of the server can do to it.
    bench.db.execute("DELETE FROM idempotency_keys", &[]).await.unwrap();
    assert!(steps.write(&method).await.is_none());
    steps.resume().await;
    assert_eq!(bench.stock.holds("open"), 0);
    steps.retry().await.expect(201);
    bench.verify().await;
}

#[tokio::test]
async fn a_crash_after_the_write_undoes_the_order_and_its_key_buys_anew() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    steps.write(&method).await.unwrap();
    bench.stock.is_away.store(true, SeqCst);
    while resume_checkouts(&bench.payments.shop, Some(now() + Duration::from_secs(5))).await.unwrap() > 0 {}
    // As long as the stock is not back, the buyer would be refused what they hold themselves.
    assert_eq!(steps.retry().await.expect(409).code(), "request_in_progress");
    relay_outbox(&bench.payments.shop, Uuid::now_v7(), true).await.unwrap_err();
    assert_eq!(steps.retry().await.expect(409).code(), "request_in_progress");
    bench.verify().await;
    bench.stock.is_away.store(false, SeqCst);
    relay_outbox(&bench.payments.shop, Uuid::now_v7(), true).await.unwrap();
    assert_eq!((bench.stock.holds("released"), bench.stock.left(TEA)), (1, 100_000));
    // The process was only slow: its charge comes too late.
    assert_eq!(steps.charge(&method).await, SaleOutcome::Closed);
    let answer = steps.retry().await.expect(201);
    assert_eq!(steps.retry().await.expect(201).bytes, answer.bytes);
    bench.relay().await;
    assert_eq!((bench.stock.holds("sold"), bench.stock.left(TEA)), (1, 99_999));
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_sales WHERE state = 'captured'").await, 1);
    bench.verify().await;
}

#[tokio::test]
async fn a_crash_after_the_charge_pays_the_order() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    let (orders, _) = steps.write(&method).await.unwrap();
    assert!(matches!(steps.charge(&method).await, SaleOutcome::Captured { .. }));
    steps.resume().await;
    let answer = steps.retry().await.expect(201);
    assert_eq!((answer.id(), answer.is_replay()), (i64::from(orders[&TEA]), true));
    let read = bench.get(BUYER, &format!("/v1/orders/{}", answer.id())).await.expect(200);
    assert_eq!(read.json, answer.json);
    assert_eq!(bench.count("SELECT count(*) FROM sandbox_sales").await, 1);
    assert_eq!(bench.stock.holds("sold"), 1);
    bench.verify().await;
}

#[tokio::test]
async fn a_silent_gateway_is_asked_again_and_never_charged_again() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    bench.gateway.loses_answers.store(true, SeqCst);
    let first = steps.retry().await.expect(504);
    assert_eq!(first.code(), "charge_outcome_unknown");
    assert_eq!(steps.retry().await.expect(409).code(), "request_in_progress");
    for _ in 0..6 {
        bench.db.execute("UPDATE checkouts SET next_attempt_at = now() WHERE status = 'pending'", &[]).await.unwrap();
        resume_checkouts(&bench.payments.shop, None).await.unwrap();
    }
    let waiting = "SELECT count(*) FROM checkouts WHERE status = 'pending' AND needs_attention_since IS NOT NULL";
    assert_eq!(bench.count(waiting).await, 1);
    bench.gateway.loses_answers.store(false, SeqCst);
    bench.db.execute("UPDATE checkouts SET next_attempt_at = now()", &[]).await.unwrap();
    resume_checkouts(&bench.payments.shop, None).await.unwrap();
    steps.retry().await.expect(201);
    assert_eq!((bench.gateway.sales.load(SeqCst), bench.count("SELECT count(*) FROM sandbox_sales").await), (1, 1));
    bench.verify().await;
}

#[tokio::test]
async fn a_sale_that_never_arrived_is_undone_and_its_key_buys_anew() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    bench.gateway.loses_sales.store(true, SeqCst);
    assert_eq!(steps.retry().await.expect(503).code(), "charge_cut_off");
    bench.relay().await;
    assert_eq!(bench.stock.left(TEA), 100_000);
    bench.verify().await;
    bench.gateway.loses_sales.store(false, SeqCst);
    steps.retry().await.expect(201);
    bench.verify().await;
}

#[tokio::test]
async fn a_closed_sale_is_never_made_and_a_made_one_is_found() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    assert_eq!(bench.gateway.close(vec![steps.id]).await, [ClosedSale::NotMade]);
    assert_eq!(steps.charge(&method).await, SaleOutcome::Closed);
    let other = Steps { bench: &bench, id: Uuid::now_v7(), card: steps.card };
    assert!(matches!(other.charge(&method).await, SaleOutcome::Captured { .. }));
    assert!(matches!(bench.gateway.close(vec![other.id]).await.as_slice(), [ClosedSale::Captured { .. }]));
    assert!(matches!(other.charge(&method).await, SaleOutcome::Captured { .. }));
}

#[tokio::test]
async fn while_the_neighbour_is_away_the_key_waits_for_the_stock() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    bench.stock.is_away.store(true, SeqCst);
    assert_eq!(steps.retry().await.expect(503).code(), "unavailable");
    assert_eq!(steps.retry().await.expect(409).code(), "request_in_progress");
    bench.stock.is_away.store(false, SeqCst);
    sweep_orphans(&bench.payments.shop, None).await.unwrap();
    bench.stock.loses_answers.store(true, SeqCst);
    steps.retry().await.expect(503);
    bench.stock.loses_answers.store(false, SeqCst);
    sweep_orphans(&bench.payments.shop, None).await.unwrap();
    assert_eq!((bench.stock.holds("open"), bench.stock.left(TEA)), (0, 100_000));
    steps.retry().await.expect(201);
    bench.verify().await;
}

#[tokio::test]
async fn orphan_holds_are_released_and_those_of_checkouts_kept() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    steps.write(&method).await.unwrap();
    let lines = vec![HoldLine { product_id: LAST, quantity: 1 }];
    bench.stock.hold(vec![HoldRequest { checkout_id: Uuid::now_v7(), lines, server: None }]).await.unwrap();
    assert_eq!(bench.stock.left(LAST), 0);
    sweep_orphans(&bench.payments.shop, None).await.unwrap();
    assert_eq!((bench.stock.left(LAST), bench.stock.holds("open"), bench.stock.holds("released")), (1, 1, 1));
}

#[tokio::test]
async fn the_jobs_of_a_lone_process_finish_everything_at_once() {
    let bench = Bench::start().await;
    let steps = Steps::begin(&bench).await;
    let method = steps.take().await;
    steps.write(&method).await.unwrap();
    steps.charge(&method).await;
    bench.db.execute("UPDATE checkouts SET next_attempt_at = now() + interval '1 hour'", &[]).await.unwrap();
    let (stock, gateway): (Arc<dyn InventoryApi>, Arc<dyn Gateway>) = (bench.stock.clone(), bench.gateway.clone());
    let config = crate::PaymentsConfig::default();
    let next = crate::Payments::start_with(bench.db.clone(), config, stock, gateway).await.unwrap();
    let stop = CancellationToken::new();
    let jobs = tokio::spawn({
        let stop = stop.clone();
        async move { next.run_jobs(stop, true).await }
    });
    for _ in 0..100 {
        if bench.stock.holds("sold") == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    jobs.await.unwrap();
    assert_eq!(bench.stock.holds("sold"), 1);
    steps.retry().await.expect(201);
    bench.verify().await;
}
