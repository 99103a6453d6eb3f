//! Batches in which something goes wrong: one row is bad, or the connection dies under all of them.

use futures_util::future::join_all;

use super::bench::{BUYER, Bench, CUP, Got};
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::sweep_orphans::sweep_orphans;
use crate::service::now;

/// How many buyers meet in a batch: one thread runs the test, so what one step answers comes to the next together.
const BUYERS: usize = 12;

/// A step of a checkout: what it writes first, and what shows in how many transactions that was done.
struct Step {
    table: &'static str,
    /// When and where the one bad row fails.
    bad_row: &'static str,
    transactions: &'static str,
}

const TAKE: Step = Step {
    table: "idempotency_keys",
    bad_row: "BEFORE INSERT ON idempotency_keys FOR EACH ROW WHEN (NEW.key = 'k5')",
    transactions: "SELECT count(DISTINCT created_at) FROM idempotency_keys",
};
const WRITE: Step = Step {
    table: "checkouts",
    bad_row: "BEFORE INSERT ON checkouts FOR EACH ROW WHEN (NEW.idempotency_key = 'k5')",
    transactions: "SELECT count(DISTINCT xmin::text) FROM order_events WHERE type = 'order.created'",
};
const SETTLE: Step = Step {
    table: "ledger_transactions",
    bad_row: "BEFORE UPDATE ON checkouts FOR EACH ROW WHEN (NEW.idempotency_key = 'k5' AND NEW.status = 'paid')",
    transactions: "SELECT count(DISTINCT xmin::text) FROM order_events WHERE type = 'order.paid'",
};

async fn buy(bench: &Bench, card: i64) -> Vec<Got> {
    let keys: Vec<String> = (0..BUYERS).map(|n| format!("k{n}")).collect();
    join_all(keys.iter().map(|key| bench.order(BUYER, key, CUP, 1, card))).await
}

/// Each buyer comes again until there is an order; then everybody has one and has paid once.
async fn everybody_has_one_in_the_end(bench: &Bench, card: i64) {
    for n in 0..BUYERS {
        let mut tries = 0;
        while bench.order(BUYER, &format!("k{n}"), CUP, 1, card).await.status != 201 {
            tries += 1;
            assert!(tries < 20, "k{n} never gets an order");
            resume_checkouts(&bench.payments.shop, Some(now())).await.unwrap();
            sweep_orphans(&bench.payments.shop, Some(now())).await.unwrap();
        }
    }
    bench.relay().await;
    let wanted = i64::try_from(BUYERS).unwrap();
    for counted in [
        "SELECT count(*) FROM checkouts WHERE status = 'paid'",
        "SELECT count(*) FROM sandbox_sales WHERE state = 'captured'",
        "SELECT count(*) FROM ledger_transactions",
    ] {
        assert_eq!(bench.count(counted).await, wanted, "{counted}");
    }
    assert_eq!((bench.stock.holds("sold"), bench.stock.holds("open")), (BUYERS, 0));
    bench.verify().await;
}

async fn a_bad_row_fails_alone(step: Step) {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let owner = estore_kit::db::Db::new(bench.database.owner_config(), 1).unwrap().client().await.unwrap();
    let make_bad = format!(
        "CREATE FUNCTION bad_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a bad row'; END $$;
         CREATE TRIGGER bad_row {} EXECUTE FUNCTION bad_row()",
        step.bad_row
    );
    owner.batch_execute(&make_bad).await.unwrap();
    for (n, got) in buy(&bench, card).await.into_iter().enumerate() {
        assert_eq!(got.status, if n == 5 { 500 } else { 201 }, "k{n}: {}", got.json);
    }
    let alone = i64::try_from(BUYERS - 1).unwrap();
    assert_eq!(bench.count(step.transactions).await, alone, "the batch with the bad row was done row by row");
    owner.batch_execute("DROP FUNCTION bad_row CASCADE").await.unwrap();
    everybody_has_one_in_the_end(&bench, card).await;
}

#[tokio::test]
async fn a_bad_row_among_taken_keys_fails_alone() {
    a_bad_row_fails_alone(TAKE).await;
}

#[tokio::test]
async fn a_bad_row_among_written_checkouts_fails_alone() {
    a_bad_row_fails_alone(WRITE).await;
}

#[tokio::test]
async fn a_bad_row_among_settled_checkouts_fails_alone() {
    a_bad_row_fails_alone(SETTLE).await;
}

/// Ends the connection that waits behind the table's lock, and then lets the table go.
async fn kill_who_waits(bench: &Bench, locker: &deadpool_postgres::Client) {
    let waiting = "SELECT coalesce(sum(pg_terminate_backend(pid)::integer), 0)::bigint FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let admin = estore_kit::db::Db::new(bench.database.admin_config(), 1).unwrap();
    for _ in 0..1_000 {
        let killed: i64 = admin.row(waiting, &[]).await.unwrap().unwrap().get(0);
        if killed > 0 {
            locker.batch_execute("ROLLBACK").await.unwrap();
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no batch came to the locked table");
}

async fn a_dead_connection_is_told_truthfully(step: Step) {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let locker = estore_kit::db::Db::new(bench.database.owner_config(), 1).unwrap().client().await.unwrap();
    locker.batch_execute(&format!("BEGIN; LOCK TABLE {} IN SHARE MODE", step.table)).await.unwrap();
    let (answers, ()) = tokio::join!(buy(&bench, card), kill_who_waits(&bench, &locker));
    let mut unknown = 0;
    for got in &answers {
        if got.status != 201 {
            assert_eq!((got.status, &got.headers["retry-after"] == "1"), (503, true), "{}", got.json);
            unknown += 1;
        }
    }
    assert!(unknown > 0, "the batch of the dead connection is not told as done");
    everybody_has_one_in_the_end(&bench, card).await;
}

#[tokio::test]
async fn a_connection_that_dies_under_taken_keys_is_told_truthfully() {
    a_dead_connection_is_told_truthfully(TAKE).await;
}

#[tokio::test]
async fn a_connection_that_dies_under_written_checkouts_is_told_truthfully() {
    a_dead_connection_is_told_truthfully(WRITE).await;
}

#[tokio::test]
async fn a_connection_that_dies_under_settled_checkouts_is_told_truthfully() {
    a_dead_connection_is_told_truthfully(SETTLE).await;
}
