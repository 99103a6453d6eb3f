//! Whatever becomes of requests and answers on the line, money is taken once and paid back once.

use std::sync::Arc;

use super::peer::Fault;
use super::{DECLINED, GOOD, StripeShop};
use crate::gateway::{GatewayRefund, RefundOutcome};
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::resume_refunds::resume_refunds;
use crate::service::now;
use crate::tests::bench::{BUYER, CUP, TEA};

#[tokio::test]
async fn what_goes_wrong_on_the_line_never_charges_twice() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let (make, confirm) = ("POST /v1/payment_intents", "/confirm");
    for (n, (word, fault, times, expected)) in [
        // The charge was made and its answer lost: it is found.
        (confirm, Fault::LoseAnswer, 1, 201),
        (confirm, Fault::CutAnswer, 1, 201),
        // It arrives twice: the second cannot confirm again.
        (confirm, Fault::Repeat, 1, 201),
        // It never arrives: closed, nothing taken.
        (confirm, Fault::LoseRequest, 1, 503),
        (confirm, Fault::Busy, 1, 503),
        // Making an intent takes nothing, so it is simply asked again.
        (make, Fault::LoseAnswer, 1, 201),
        (make, Fault::CutAnswer, 1, 201),
        (make, Fault::Busy, 1, 201),
        (make, Fault::Repeat, 1, 201),
        (make, Fault::LoseRequest, 2, 503),
        (confirm, Fault::Delay(300), 1, 201),
        // Slower than we wait: it is found.
        (confirm, Fault::Delay(9_000), 1, 201),
    ]
    .into_iter()
    .enumerate()
    {
        let before = shop.peer.balance().await;
        shop.line.fail(word, fault, times);
        let got = shop.bench.order(BUYER, &format!("k{n}"), CUP, 1, card).await;
        assert_eq!(got.status, expected, "{word} {fault:?}: {}", got.json);
        let taken = if expected == 201 { 1_000 } else { 0 };
        assert_eq!(shop.peer.balance().await - before, taken, "{word} {fault:?}");
        if expected == 503 {
            assert_eq!(got.code(), "charge_cut_off");
        }
        shop.verify().await;
    }
}

#[tokio::test]
async fn a_gateway_that_stays_silent_is_asked_again_and_never_charged_again() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    // The charge is made; then nothing but silence.
    shop.line.fail("/v1/payment_intents/pi_", Fault::LoseAnswer, u32::MAX);
    let unknown = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(504);
    assert_eq!(unknown.code(), "charge_outcome_unknown");
    assert_eq!(shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(409).code(), "request_in_progress");
    shop.line.fail("", Fault::Busy, 0);
    resume_checkouts(&shop.bench.payments.shop, Some(now())).await.unwrap();
    let placed = shop.bench.order(BUYER, "k1", CUP, 1, card).await.expect(201);
    assert!(placed.is_replay());
    assert_eq!(shop.peer.list("charges").await.len(), 1);
    shop.verify().await;
}

#[tokio::test]
async fn a_refund_is_made_once_whatever_the_line_does() {
    let Some(shop) = StripeShop::start().await else { return };
    let card = shop.card(GOOD).await;
    let order = shop.bench.order(BUYER, "k1", CUP, 5, card).await.expect(201).id();
    let post = "POST /v1/refunds";
    for (n, (fault, times)) in
        [(Fault::LoseAnswer, 1), (Fault::CutAnswer, 1), (Fault::LoseRequest, 1), (Fault::Busy, 1)]
            .into_iter()
            .enumerate()
    {
        shop.line.fail(post, fault, times);
        let key = format!("r{n}");
        assert_eq!(shop.refund(order, &key, 300).await.expect(504).code(), "refund_outcome_unknown", "{fault:?}");
        resume_refunds(&shop.bench.payments.shop, Some(now())).await.unwrap();
        assert!(shop.refund(order, &key, 300).await.expect(201).is_replay());
        assert_eq!(shop.peer.list("refunds").await.len(), n + 1, "{fault:?}");
        shop.verify().await;
    }
    let checkout = shop.bench.db.row("SELECT id FROM checkouts", &[]).await.unwrap().unwrap().get(0);
    let again = GatewayRefund { key: uuid::Uuid::from_u128(9), sale: checkout, amount: 100, currency: "USD".into() };
    let first = shop.gateway().refund(vec![again.clone()]).await;
    assert!(matches!(first[0], RefundOutcome::PaidOut { .. }), "{first:?}");
    for _ in 0..3 {
        assert_eq!(shop.gateway().refund(vec![again.clone()]).await, first);
    }
    assert_eq!(shop.peer.list("refunds").await.len(), 5);
}

/// Between two looks at a shop on a bad line.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
/// How old a checkout is that nobody works on any more.
const CUT_OFF_AFTER: std::time::Duration = std::time::Duration::from_secs(2);

#[tokio::test]
async fn many_buyers_over_a_bad_line_are_charged_once_each() {
    let Some(shop) = StripeShop::start().await else { return };
    let (good, bad) = (shop.card(GOOD).await, shop.card(DECLINED).await);
    let shop = Arc::new(shop);
    shop.line.fail_one_in(3);
    // What is cut off is resumed, and frees its key when its stock is back.
    let keeper = Arc::clone(&shop);
    let keeping = tokio::spawn(async move {
        loop {
            // Not what is being charged this moment: on a busy machine nobody would ever come to an end.
            resume_checkouts(&keeper.bench.payments.shop, Some(now() - CUT_OFF_AFTER)).await.unwrap();
            keeper.bench.relay().await;
            tokio::time::sleep(PAUSE).await;
        }
    });
    let sends = (0..60).map(|n: usize| {
        let shop = Arc::clone(&shop);
        let card = if n % 10 == 9 { bad } else { good };
        tokio::spawn(async move {
            let mut got = shop.bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await;
            let mut tries = 0;
            while got.status >= 500 || got.code() == "request_in_progress" {
                tries += 1;
                assert!(tries < 1_000, "k{n}: {}", got.json);
                tokio::time::sleep(PAUSE).await;
                got = shop.bench.order(BUYER, &format!("k{n}"), TEA, 1, card).await;
            }
            (card, got)
        })
    });
    let (mut paid, mut unpaid) = (0, 0);
    for send in sends.collect::<Vec<_>>() {
        let (card, got) = send.await.unwrap();
        match got.status {
            201 if card == good => paid += 1,
            _ => unpaid += u32::from(got.expect(402).code() != ""),
        }
    }
    shop.line.fail_one_in(0);
    keeping.abort();
    assert_eq!((paid, unpaid), (54, 6), "who was cut off buys anew");
    assert_eq!(shop.peer.balance().await, paid * 250);
    let intents = shop.peer.list("payment_intents").await;
    let succeeded = intents.iter().filter(|intent| intent["status"] == "succeeded");
    let mut checkouts: Vec<String> = succeeded.map(|one| one["metadata"]["estore_checkout"].to_string()).collect();
    checkouts.sort();
    let count = checkouts.len();
    checkouts.dedup();
    assert_eq!(checkouts.len(), count, "a checkout was charged twice");
    shop.bench.relay().await;
    assert_eq!(i64::from(shop.bench.stock.left(TEA)), 100_000 - paid);
    shop.verify().await;
}
