//! What went wrong in other shops, each as a test of this one. `docs/correctness.md` names the reports.

use std::time::Duration;

use estore_ops::connection::Connection;
use estore_ops::roles::Service;
use estore_testkit::client::{Answer, CARD_APPROVED, Client};
use estore_testkit::shop::{INVENTORY, PAYMENTS, Processes, Shop};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::buyers::{checkout_of, insist, is_final, key, once, order_of, stock, stock_becomes, verify_clean};
use crate::{books, own_shop};

crate::in_one_and_three!(
    two_lines_of_one_product_pass_the_same_check,
    the_card_is_charged_before_the_stock_is_found_short,
    a_refresh_during_checkout_pays_twice,
    one_payment_makes_two_orders,
    two_refunds_of_one_order_both_succeed,
);

async fn buyer_with_card(shop: &Shop) -> (Client, Client, i64) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    (admin, buyer, method)
}

/// Holds a row or table under a lock while requests pile up behind it.
async fn locked(database: &Connection, lock: &str) {
    database.batch_execute(&format!("BEGIN; {lock}")).await.unwrap();
}

async fn unlock(database: &Connection) {
    database.batch_execute("ROLLBACK").await.unwrap();
}

fn with(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// Check and allocation were in transactions of their own: both buyers passed the check.
#[tokio::test]
async fn stock_is_checked_by_two_buyers_before_either_takes_it() {
    let mut shop = own_shop(Processes::One).await;
    // Several workers, so that the buyers do not simply queue up behind each other in one process.
    shop.restart(0, &[("ESTORE_INVENTORY__HOLD_WORKERS", "4")]).await;
    let (admin, buyer, method) = buyer_with_card(&shop).await;
    let product = admin.product(100, 1).await;
    let inventory = shop.database(Service::Inventory).await;
    // Whoever only looks is not stopped by this lock; whoever takes is.
    locked(&inventory, &format!("SELECT FROM products WHERE id = {product} FOR UPDATE")).await;
    let mut sent = Vec::new();
    for nth in 1..=3 {
        let buyer = buyer.clone();
        let body = order_of(product, 1, method);
        sent.push(tokio::spawn(async move { insist(&buyer, "/v1/orders", &key(), &body).await }));
        // Apart, so that two are in transactions of their own; further ones wait until one of these is done.
        books::waiting(&inventory, Service::Inventory, nth.min(2)).await;
    }
    unlock(&inventory).await;
    let mut answers = Vec::new();
    for one in sent {
        answers.push(one.await.unwrap());
    }
    assert_eq!((with(&answers, 201), with(&answers, 409)), (1, 2), "{answers:?}");
    assert_eq!(stock(&admin, product).await, 0);
}

/// Each line was checked against the same stock, and availability went below zero.
async fn two_lines_of_one_product_pass_the_same_check(shop: &Shop) {
    let (admin, buyer, method) = buyer_with_card(shop).await;
    let product = admin.product(100, 5).await;
    let twice = |quantity| checkout_of(&[(product, quantity), (product, quantity)], method);
    let refused = insist(&buyer, "/v1/checkouts", &key(), &twice(3)).await.expect(409);
    assert_eq!(refused.code(), "out_of_stock");
    assert_eq!(stock(&admin, product).await, 5);
    let _done = insist(&buyer, "/v1/checkouts", &key(), &twice(2)).await.expect(201);
    assert_eq!(stock(&admin, product).await, 1);
    // The same across checkouts that meet in one batch.
    let bodies: Vec<_> = (0..20).map(|_| (key(), twice(1))).collect();
    let answers = join_all(bodies.iter().map(|(key, body)| insist(&buyer, "/v1/checkouts", key, body))).await;
    assert_eq!(with(&answers, 409), 20, "{answers:?}");
    assert_eq!(stock(&admin, product).await, 1);
}

/// The shortage was told after the card had been charged.
async fn the_card_is_charged_before_the_stock_is_found_short(shop: &Shop) {
    let (admin, buyer, method) = buyer_with_card(shop).await;
    let (plenty, scarce) = (admin.product(100, 50).await, admin.product(100, 1).await);
    let keys: Vec<String> = (0..30).map(|_| key()).collect();
    let body = checkout_of(&[(plenty, 1), (scarce, 1)], method);
    let answers = join_all(keys.iter().map(|key| insist(&buyer, "/v1/checkouts", key, &body))).await;
    assert_eq!((with(&answers, 201), with(&answers, 409)), (1, 29), "{answers:?}");
    let records = books::of_keys(shop, &keys).await;
    let charges: i64 = records.values().map(|record| record.charges).sum();
    assert_eq!((charges, records.len()), (1, 1), "one checkout was written and charged; the others never were");
    assert_eq!(books::sales_under(shop, &keys).await, 1, "nor was anything taken under a key that came to no checkout");
    assert_eq!((stock(&admin, plenty).await, stock(&admin, scarce).await), (49, 0));
}

/// The buyer reloaded the page: a second payment for the same basket.
async fn a_refresh_during_checkout_pays_twice(shop: &Shop) {
    let (admin, buyer, method) = buyer_with_card(shop).await;
    let product = admin.product(100, 100).await;
    let body = order_of(product, 1, method);
    let mut keys = Vec::new();
    for n in 0..20_u64 {
        let key = key();
        // The connection is cut at a moment of its own, then twice more.
        for patience in [n, n * 2 + 1, 3] {
            let headers = [("idempotency-key", key.as_str())];
            let sent = buyer.try_send(Method::POST, "/v1/orders", Some(&body), &headers);
            drop(tokio::time::timeout(Duration::from_millis(patience), sent).await);
        }
        let answer = insist(&buyer, "/v1/orders", &key, &body).await.expect(201);
        let again = insist(&buyer, "/v1/orders", &key, &body).await.expect(201);
        assert_eq!(answer.text, again.text);
        keys.push(key);
    }
    let records = books::of_keys(shop, &keys).await;
    assert_eq!(records.len(), 20);
    assert!(records.values().all(|record| (record.paid, record.charges) == (1, 1)), "{records:?}");
    assert_eq!(stock(&admin, product).await, 80);
}

/// The webhook and the completing request each made an order of one payment.
async fn one_payment_makes_two_orders(shop: &Shop) {
    let (admin, buyer, method) = buyer_with_card(shop).await;
    let product = admin.product(100, 100).await;
    let key = key();
    let (order, checkout) = (order_of(product, 1, method), checkout_of(&[(product, 1)], method));
    let sent = (0..20).map(|n| {
        let (path, body) = if n % 2 == 0 { ("/v1/orders", &order) } else { ("/v1/checkouts", &checkout) };
        insist(&buyer, path, &key, body)
    });
    let answers = join_all(sent).await;
    assert_eq!((with(&answers, 201), with(&answers, 422)), (10, 10), "{answers:?}");
    let record = books::of_key(shop, &key).await;
    assert_eq!((record.paid, record.orders, record.charges), (1, 1, 1));
    assert_eq!(stock(&admin, product).await, 99);
}

/// Both refunds read the same amount left.
async fn two_refunds_of_one_order_both_succeed(shop: &Shop) {
    let (admin, buyer, method) = buyer_with_card(shop).await;
    let product = admin.product(100, 1).await;
    let order_key = key();
    let order = insist(&buyer, "/v1/orders", &order_key, &order_of(product, 1, method)).await.expect(201).id();
    let payments = shop.database(Service::Payments).await;
    // Whoever only reads the order is not stopped by this lock.
    locked(&payments, &format!("SELECT FROM orders WHERE id = {order} FOR UPDATE")).await;
    let sent: Vec<_> = (0..2)
        .map(|_| {
            let (admin, path) = (admin.clone(), format!("/v1/orders/{order}/refunds"));
            let body = json!({ "amount": 60, "reason": "scratched" });
            tokio::spawn(async move { insist(&admin, &path, &key(), &body).await })
        })
        .collect();
    books::waiting(&payments, Service::Payments, 2).await;
    unlock(&payments).await;
    let mut answers = Vec::new();
    for one in sent {
        answers.push(one.await.unwrap());
    }
    assert_eq!((with(&answers, 201), with(&answers, 409)), (1, 1), "{answers:?}");
    let record = books::of_key(shop, &order_key).await;
    assert_eq!((record.charged, record.refunded), (100, 60));
}

/// The number of events, captures and refunds that the paid checkouts have.
async fn events_and_money(shop: &Shop) -> (i64, i64, i64) {
    let count = async |sql| books::number(shop, Service::Payments, sql).await;
    (
        count("SELECT count(*) FROM order_events WHERE type = 'order.paid'").await,
        count("SELECT count(*) FROM ledger_transactions WHERE kind = 'capture'").await,
        count("SELECT count(*) FROM sandbox_refunds").await,
    )
}

/// The completing request and the webhook (here: the resumer, and repeats of the request) raced: orders were missing,
/// payments were made twice or refunded.
#[tokio::test]
async fn completion_races_whoever_else_completes() {
    let mut shop = own_shop(Processes::One).await;
    shop.restart(0, &[("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "1")]).await;
    let (admin, buyer, method) = buyer_with_card(&shop).await;
    let product = admin.product(100, 100).await;
    let payments = shop.database(Service::Payments).await;
    // Nobody can settle until the resumer has taken over what the requests are still at.
    locked(&payments, "LOCK TABLE ledger_transactions IN SHARE MODE").await;
    let keys: Vec<String> = (0..10).map(|_| key()).collect();
    let sent: Vec<_> = keys
        .iter()
        .flat_map(|key| (0..3).map(move |_| key.clone()))
        .map(|key| {
            let buyer = buyer.clone();
            tokio::spawn(async move { insist(&buyer, "/v1/orders", &key, &order_of(product, 1, method)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(4_000)).await;
    unlock(&payments).await;
    for one in sent {
        let _bought = one.await.unwrap().expect(201);
    }
    let records = books::of_keys(&shop, &keys).await;
    assert!(records.values().all(|record| (record.paid, record.charges, record.refunded) == (1, 1, 0)), "{records:?}");
    assert_eq!(events_and_money(&shop).await, (10, 10, 0));
    stock_becomes(&admin, product, 90).await;
    verify_clean(&shop, Duration::from_secs(30)).await;
}

/// A request died while it completed; every later one was told that the cart "is already being completed".
async fn already_being_completed(processes: Processes, victim: usize) {
    let mut shop = own_shop(processes).await;
    let (admin, buyer, method) = buyer_with_card(&shop).await;
    let product = admin.product(100, 10).await;
    let inventory = shop.database(Service::Inventory).await;
    locked(&inventory, &format!("SELECT FROM products WHERE id = {product} FOR UPDATE")).await;
    let (key, body) = (key(), order_of(product, 1, method));
    let first = {
        let (buyer, key, body) = (buyer.clone(), key.clone(), body.clone());
        tokio::spawn(async move { once(&buyer, "/v1/orders", &key, &body).await })
    };
    books::waiting(&inventory, Service::Inventory, 1).await;
    let second = once(&buyer, "/v1/orders", &key, &body).await.expect("an answer");
    assert_eq!((second.code(), is_final(&second)), ("request_in_progress", false), "{}", second.text);
    shop.kill(victim);
    unlock(&inventory).await;
    shop.restart(victim, &[]).await;
    drop(first.await);
    let begun = std::time::Instant::now();
    let _done = insist(&buyer, "/v1/orders", &key, &body).await.expect(201);
    assert!(begun.elapsed() < Duration::from_secs(30), "stuck for {:?}", begun.elapsed());
    let record = books::of_key(&shop, &key).await;
    assert_eq!((record.paid, record.charges), (1, 1));
    stock_becomes(&admin, product, 9).await;
    verify_clean(&shop, Duration::from_secs(60)).await;
}

#[tokio::test]
async fn already_being_completed_for_ever() {
    already_being_completed(Processes::One, 0).await;
}

#[tokio::test]
async fn already_being_completed_for_ever_by_a_dead_payment_service() {
    already_being_completed(Processes::Three, PAYMENTS).await;
}

#[tokio::test]
async fn already_being_completed_for_ever_by_a_dead_inventory_service() {
    already_being_completed(Processes::Three, INVENTORY).await;
}

/// The event had been sent when the transaction of its change rolled back.
#[tokio::test]
async fn the_event_is_sent_and_its_change_rolled_back() {
    let mut shop = own_shop(Processes::One).await;
    shop.restart(0, &[("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "1")]).await;
    let (admin, buyer, method) = buyer_with_card(&shop).await;
    let product = admin.product(100, 10).await;
    let payments = shop.database(Service::Payments).await;
    // Everything of the settlement is written; the commit fails.
    let failing = "CREATE FUNCTION fail_at_commit() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'; END $$;
                   CREATE CONSTRAINT TRIGGER fail_at_commit AFTER INSERT ON ledger_transactions
                   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_at_commit()";
    payments.batch_execute(failing).await.unwrap();
    let (key, body) = (key(), order_of(product, 1, method));
    let failed = once(&buyer, "/v1/orders", &key, &body).await.expect("an answer");
    assert!(failed.status >= 500, "{}", failed.text);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(events_and_money(&shop).await, (0, 0, 0));
    let told = "SELECT count(*) FROM outbox WHERE topic IN ('checkout.paid', 'order.paid')";
    assert_eq!(books::number(&shop, Service::Payments, told).await, 0, "nothing is told of what was not committed");
    let sold = "SELECT count(*) FROM holds WHERE state = 'sold'";
    assert_eq!(books::number(&shop, Service::Inventory, sold).await, 0, "and nobody acted on it");
    payments.batch_execute("DROP TRIGGER fail_at_commit ON ledger_transactions").await.unwrap();
    let _done = insist(&buyer, "/v1/orders", &key, &body).await.expect(201);
    verify_clean(&shop, Duration::from_secs(30)).await;
    assert_eq!(events_and_money(&shop).await, (1, 1, 0));
    assert_eq!(books::number(&shop, Service::Inventory, sold).await, 1);
    let record = books::of_key(&shop, &key).await;
    assert_eq!((record.paid, record.charges), (1, 1));
}
