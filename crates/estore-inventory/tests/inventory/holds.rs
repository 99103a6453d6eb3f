use std::collections::HashSet;
use std::sync::Arc;

use estore_api::inventory::{HoldOutcome, InventoryApi, OpenHoldsQuery, RestockLine, Shortage};
use estore_inventory::InventoryConfig;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::shop::{Shop, hold_request};

fn is_held(outcome: &HoldOutcome) -> bool {
    matches!(outcome, HoldOutcome::Held { .. })
}

/// Sends these holds all at once, each as a call of its own.
async fn hold_at_once(shop: &Arc<Shop>, holds: Vec<Vec<(i32, i32)>>) -> Vec<(Uuid, Vec<(i32, i32)>, HoldOutcome)> {
    let mut tasks = JoinSet::new();
    for lines in holds {
        let shop = Arc::clone(shop);
        tasks.spawn(async move {
            let checkout_id = Uuid::now_v7();
            let outcome = shop.hold(checkout_id, &lines).await;
            (checkout_id, lines, outcome)
        });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_unit_is_sold_once_to_five_hundred_buyers() {
    let shop = Arc::new(Shop::open().await);
    let product = shop.product("The last one", 999, 1).await;
    let outcomes = hold_at_once(&shop, vec![vec![(product, 1)]; 500]).await;
    assert_eq!(outcomes.iter().filter(|(_, _, outcome)| is_held(outcome)).count(), 1);
    assert_eq!(shop.quantity(product).await, 0);
    shop.verify().await;
}

#[tokio::test]
async fn holds_of_more_than_there_is_are_not_written_whatever_was_looked_at() {
    let shop = Shop::open().await;
    let (many, few) = (shop.product("Five of them", 999, 5).await, shop.product("One of them", 999, 1).await);
    let (admin, connection) = shop.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let insert = async |products: Vec<i32>| {
        let checkouts: Vec<Uuid> = products.iter().map(|_| Uuid::now_v7()).collect();
        let (quantities, prices) = (vec![1; products.len()], vec![999; products.len()]);
        let sql = include_str!("../../queries/insert_holds.sql");
        admin.query(sql, &[&checkouts, &products, &quantities, &prices]).await.map(drop)
    };
    let refused = insert(vec![many, few, few]).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::DIVISION_BY_ZERO), "{refused:?}");
    assert_eq!((shop.quantity(many).await, shop.quantity(few).await), (5, 1));
    insert(vec![many, few, many]).await.unwrap();
    assert_eq!((shop.quantity(many).await, shop.quantity(few).await), (3, 0));
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buyers_of_one_to_three_leave_nothing_that_a_refused_one_could_have_had() {
    let shop = Arc::new(Shop::open_with(InventoryConfig { hold_workers: 4, ..Default::default() }).await);
    let product = shop.product("Fifty of them", 500, 50).await;
    let outcomes = hold_at_once(&shop, (0..200).map(|n| vec![(product, 1 + n % 3)]).collect()).await;
    let held = outcomes.iter().filter(|(_, _, outcome)| is_held(outcome));
    let sold: i32 = held.map(|(_, lines, _)| lines[0].1).sum();
    let refused = outcomes.iter().filter(|(_, _, outcome)| !is_held(outcome)).map(|(_, lines, _)| lines[0].1);
    let left = 50 - sold;
    assert!(left >= 0, "sold {sold} of 50");
    assert!(refused.min().unwrap_or(i32::MAX) > left, "{left} units left beside a refused buyer");
    assert_eq!(shop.quantity(product).await, i64::from(left));
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_checkouts_in_opposite_orders_never_wait_for_each_other() {
    let shop = Arc::new(Shop::open_with(InventoryConfig { hold_workers: 4, ..Default::default() }).await);
    let mut products = Vec::new();
    for n in 0..8 {
        products.push(shop.product(&format!("Product {n}"), 100, 1_000).await);
    }
    let forwards: Vec<_> = products.iter().map(|id| (*id, 1)).collect();
    let backwards: Vec<_> = forwards.iter().rev().copied().collect();
    let holds = (0..200).map(|n| if n % 2 == 0 { forwards.clone() } else { backwards.clone() }).collect();
    // Releases of the first ones run against the holds of the others.
    let first = hold_at_once(&shop, vec![forwards.clone(); 20]).await;
    let checkouts: Vec<_> = first.iter().map(|(checkout_id, ..)| *checkout_id).collect();
    let releasing = {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            for some in checkouts.chunks(4) {
                shop.inventory.release(some.to_vec()).await.unwrap();
            }
        })
    };
    let outcomes = hold_at_once(&shop, holds).await;
    releasing.await.unwrap();
    assert!(outcomes.iter().all(|(_, _, outcome)| is_held(outcome)));
    for product in products {
        assert_eq!(shop.quantity(product).await, 800);
    }
    shop.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_hold_for_one_checkout_hold_once() {
    let shop = Arc::new(Shop::open().await);
    let other = estore_inventory::Inventory::start(shop.db.clone(), InventoryConfig::default()).await.unwrap();
    let product = shop.product("Lamp", 500, 1_000).await;
    for _ in 0..50 {
        let request = hold_request(Uuid::now_v7(), &[(product, 1)]);
        let (here, there) = tokio::join!(shop.inventory.hold(vec![request.clone()]), other.hold(vec![request]));
        let (here, there) = (here.unwrap(), there.unwrap());
        assert!(is_held(&here[0]));
        assert_eq!(here, there);
    }
    assert_eq!(shop.quantity(product).await, 950);
    shop.verify().await;
}

#[tokio::test]
async fn a_repeated_hold_gets_the_same_lines_at_the_same_price() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1250, 5).await;
    let checkout_id = Uuid::now_v7();
    let first = shop.hold(checkout_id, &[(product, 2)]).await;
    shop.admin("PATCH", &format!("/v1/products/{product}"), json!({"price": 2000})).await.expect(200);
    let again = shop.hold(checkout_id, &[(product, 2)]).await;
    assert!(is_held(&first));
    assert_eq!(first, again);
    assert_eq!(shop.quantity(product).await, 3);
    shop.verify().await;
}

#[tokio::test]
async fn a_batch_shares_out_in_order_and_one_bad_hold_fails_no_other() {
    let shop = Shop::open().await;
    let (scarce, plenty) = (shop.product("Scarce", 100, 3).await, shop.product("Plenty", 100, 100).await);
    let ids: Vec<_> = (0..6).map(|_| Uuid::now_v7()).collect();
    let holds = vec![
        hold_request(ids[0], &[(scarce, 2), (plenty, 1)]),
        hold_request(ids[1], &[(scarce, 2), (plenty, 1)]),
        hold_request(ids[2], &[(2_000_000, 1), (plenty, 1)]),
        hold_request(ids[3], &[(plenty, -5)]),
        hold_request(ids[4], &[]),
        hold_request(ids[5], &[(scarce, 1)]),
    ];
    let outcomes = shop.inventory.hold(holds).await.unwrap();
    let held: Vec<bool> = outcomes.iter().map(is_held).collect();
    assert_eq!(held, [true, false, false, false, false, true]);
    let HoldOutcome::Refused { lines } = &outcomes[1] else { panic!("must be refused") };
    assert_eq!((lines[0].product_id, lines[0].requested, lines[0].available), (scarce, 2, 1));
    let HoldOutcome::Refused { lines } = &outcomes[2] else { panic!("must be refused") };
    assert_eq!((lines.len(), lines[0].reason), (1, Shortage::UnknownProduct));
    assert_eq!((shop.quantity(scarce).await, shop.quantity(plenty).await), (0, 99));
    shop.verify().await;
}

#[tokio::test]
async fn what_is_not_for_sale_is_not_held_and_two_lines_of_one_product_are_one() {
    let shop = Shop::open().await;
    let (gone, there) = (shop.product("Gone", 100, 5).await, shop.product("There", 100, 5).await);
    shop.admin("DELETE", &format!("/v1/products/{gone}"), Value::Null).await.expect(204);
    let HoldOutcome::Refused { lines } = shop.hold(Uuid::now_v7(), &[(gone, 1)]).await else { panic!("not for sale") };
    assert_eq!(lines[0].reason, Shortage::Inactive);
    assert!(!is_held(&shop.hold(Uuid::now_v7(), &[(there, 3), (there, 3)]).await));
    let HoldOutcome::Held { lines } = shop.hold(Uuid::now_v7(), &[(there, 3), (there, 2)]).await else {
        panic!("five are there")
    };
    assert_eq!((lines.len(), lines[0].quantity), (1, 5));
    shop.verify().await;
}

#[tokio::test]
async fn a_release_gives_back_once_and_marks_unknown_checkouts_as_over() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1250, 5).await;
    let (known, unknown) = (Uuid::now_v7(), Uuid::now_v7());
    shop.hold(known, &[(product, 2)]).await;
    for _ in 0..2 {
        shop.inventory.release(vec![known, unknown, known]).await.unwrap();
        assert_eq!(shop.quantity(product).await, 5);
    }
    assert_eq!(shop.hold(unknown, &[(product, 1)]).await, HoldOutcome::Over);
    assert_eq!(shop.hold(known, &[(product, 1)]).await, HoldOutcome::Over);
    assert_eq!(shop.quantity(product).await, 5);
    shop.verify().await;
}

#[tokio::test]
async fn a_sold_hold_stays_sold() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1250, 5).await;
    let checkout_id = Uuid::now_v7();
    shop.hold(checkout_id, &[(product, 2)]).await;
    shop.inventory.sell(vec![checkout_id]).await.unwrap();
    shop.inventory.sell(vec![checkout_id, Uuid::now_v7()]).await.unwrap();
    shop.inventory.release(vec![checkout_id]).await.unwrap();
    assert_eq!(shop.quantity(product).await, 3);
    assert_eq!(shop.hold(checkout_id, &[(product, 2)]).await, HoldOutcome::Over);
    shop.verify().await;
}

#[tokio::test]
async fn a_cancelled_order_comes_back_once_even_from_an_open_hold() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1250, 5).await;
    let (sold, open, dead) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    for checkout_id in [sold, open, dead] {
        shop.hold(checkout_id, &[(product, 1)]).await;
    }
    shop.inventory.sell(vec![sold]).await.unwrap();
    shop.inventory.release(vec![dead]).await.unwrap();
    let line = |order_id, checkout_id| RestockLine { order_id, checkout_id, product_id: product, quantity: 1 };
    let lines = vec![line(1, sold), line(2, open), line(3, dead), line(1, sold)];
    for _ in 0..2 {
        shop.inventory.restock(lines.clone()).await.unwrap();
        assert_eq!(shop.quantity(product).await, 5);
    }
    shop.inventory.release(vec![open]).await.unwrap();
    assert_eq!(shop.quantity(product).await, 5);
    shop.verify().await;
}

#[tokio::test]
async fn open_holds_are_listed_page_by_page() {
    let shop = Shop::open().await;
    let product = shop.product("Spade", 1250, 100).await;
    let checkouts: Vec<Uuid> = (0..7).map(|_| Uuid::now_v7()).collect();
    for checkout_id in &checkouts {
        shop.hold(*checkout_id, &[(product, 1)]).await;
    }
    shop.inventory.sell(vec![checkouts[0]]).await.unwrap();
    shop.inventory.release(vec![checkouts[1]]).await.unwrap();
    let (mut seen, mut after) = (HashSet::new(), None);
    loop {
        let query = OpenHoldsQuery { older_than_seconds: 0, after, limit: 2 };
        let page = shop.inventory.open_holds(query).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.checkout_id);
        seen.extend(page.iter().map(|hold| hold.checkout_id));
    }
    assert_eq!(seen, checkouts[2..].iter().copied().collect());
    let old = OpenHoldsQuery { older_than_seconds: 3_600, after: None, limit: 10 };
    assert!(shop.inventory.open_holds(old).await.unwrap().is_empty());
}
