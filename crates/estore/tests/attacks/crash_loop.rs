//! Kills at random moments under buyers who do not give up; then the buyers' own books equal the shop's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, CARD_DECLINED, Client};
use estore_testkit::shop::{DATABASE, INVENTORY, PAYMENTS, Processes, Shop, USERS};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::buyers::{checkout_of, insist, key, order_of, stock, verify_clean};
use crate::{amount, books, own_shop};

const BUYERS: u64 = 64;
/// How soon after the last kill the books must close.
const RESUME_TIME_MAX: Duration = Duration::from_secs(60);

/// What everybody can buy, and with what.
#[derive(Clone)]
pub struct Market {
    admin: Client,
    /// Accounts with their cards: one that approves, one that declines, one that stays silent.
    accounts: Vec<(Client, [i64; 3])>,
    /// Products with their prices; the last one is scarce.
    products: Vec<(i64, i64)>,
}

/// One request as its buyer remembers it.
#[derive(Debug, Clone)]
pub struct Entry {
    key: String,
    /// How the buyer was answered at last.
    pub status: u16,
    /// What the buyer was told to have paid, in cents.
    paid: i64,
    /// What the buyer was told to have got back, in cents.
    back: i64,
    orders: i64,
    lines: Vec<(i64, i64)>,
    cancelled: Vec<(i64, i64)>,
}

impl Market {
    /// Opens it in a shop, and in its twins where there are any.
    pub async fn open(shop: &Shop) -> Self {
        let admin = Client::admin(shop).await;
        let mut products = Vec::new();
        for n in 0..8_i64 {
            let price = 100 + n * 37;
            products.push((admin.product(price, 1_000_000).await, price));
        }
        products.push((admin.product(999, 40).await, 999));
        let mut accounts = Vec::new();
        for _ in 0..8 {
            let client = Client::customer(shop).await;
            let silent = "4000 0000 0000 0119";
            let cards = [client.card(CARD_APPROVED).await, client.card(CARD_DECLINED).await, client.card(silent).await];
            accounts.extend(shop.twins.iter().map(|address| (client.at(address), cards)));
            accounts.push((client, cards));
        }
        Self { admin, accounts, products }
    }

    /// Buys until told to stop; the buyer's own book.
    pub async fn buy(self, seed: u64, stop: Arc<AtomicBool>) -> Vec<Entry> {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut book = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let (client, cards) = &self.accounts[dice.random_range(0..self.accounts.len())];
            let method = cards[[0, 0, 0, 0, 0, 0, 0, 0, 1, 2][dice.random_range(0..10)]];
            let single = dice.random_bool(0.6);
            let lines = self.lines(&mut dice, single);
            let (path, body) = match lines.as_slice() {
                [(product, quantity)] if single => ("/v1/orders", order_of(*product, *quantity, method)),
                lines => ("/v1/checkouts", checkout_of(lines, method)),
            };
            let key = key();
            let answer = insist(client, path, &key, &body).await;
            let paid = if answer.status == 201 { answer.json["total_amount"].as_i64().unwrap() } else { 0 };
            let mut entry =
                Entry { key, status: answer.status, paid, back: 0, orders: 0, lines, cancelled: Vec::new() };
            if answer.status == 201 {
                let orders = answer.json["orders"].as_array().cloned().unwrap_or_else(|| vec![answer.json.clone()]);
                entry.orders = i64::try_from(orders.len()).unwrap();
                if dice.random_bool(0.15) {
                    let order = &orders[dice.random_range(0..orders.len())];
                    let path = format!("/v1/orders/{}/cancel", order["id"]);
                    let _done = insist(client, &path, &self::key(), &json!({})).await.expect(200);
                    entry.back = order["total_amount"].as_i64().unwrap();
                    let units = (order["product_id"].as_i64().unwrap(), order["quantity"].as_i64().unwrap());
                    entry.cancelled.push(units);
                }
            }
            book.push(entry);
        }
        book
    }

    fn lines(&self, dice: &mut StdRng, single: bool) -> Vec<(i64, i64)> {
        let count = if single { 1 } else { dice.random_range(1..5) };
        let mut lines = BTreeMap::new();
        for _ in 0..count {
            let (product, _) = self.products[dice.random_range(0..self.products.len())];
            lines.insert(product, dice.random_range(1..4));
        }
        lines.into_iter().collect()
    }
}

/// Kills at random moments until `kills` are done; answers how many were PostgreSQL's, and the slowest return to
/// readiness.
async fn kill_at_random(shop: &mut Shop, dice: &mut StdRng, kills: u32, victims: &[usize]) -> (u32, Duration) {
    let (mut of_postgresql, mut slowest) = (0, Duration::ZERO);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(dice.random_range(50..900))).await;
        let begun = Instant::now();
        if dice.random_bool(0.3) {
            // It may be between two lives already: whoever keeps it was killed just before.
            of_postgresql += u32::from(shop.kill_postgresql());
            // Asked at once, a service may not have noticed yet.
            tokio::time::sleep(Duration::from_millis(30)).await;
        } else {
            shop.kill(victims[dice.random_range(0..victims.len())]);
        }
        stand_up_again(shop).await;
        slowest = slowest.max(begun.elapsed());
    }
    (of_postgresql, slowest)
}

/// Does what a supervisor does: starts whatever has ended.
async fn stand_up_again(shop: &mut Shop) {
    loop {
        for which in 0..shop.count() {
            if shop.has_ended(which, Duration::ZERO).await {
                shop.launch(which, &[]);
            }
        }
        if tokio::time::timeout(Duration::from_millis(500), shop.wait_until_ready()).await.is_ok() {
            return;
        }
    }
}

/// The buyers' books against the shop's.
pub async fn compare(shop: &Shop, market: &Market, entries: &[Entry]) {
    let keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let records = books::of_keys(shop, &keys).await;
    for entry in entries {
        let record = records.get(&entry.key).copied().unwrap_or_default();
        let once = i64::from(entry.status == 201);
        assert_eq!((record.paid, record.charges), (once, once), "{entry:?} {record:?}");
        assert_eq!((record.charged, record.refunded), (entry.paid, entry.back), "{entry:?} {record:?}");
        assert_eq!(record.orders, entry.orders, "{entry:?} {record:?}");
    }
    let told: i64 = entries.iter().filter(|entry| entry.status == 201).count().try_into().unwrap();
    for sql in [
        "SELECT count(*) FROM checkouts WHERE status = 'paid'",
        "SELECT count(*) FROM sandbox_sales WHERE state = 'captured'",
        "SELECT count(*) FROM ledger_transactions WHERE kind = 'capture'",
    ] {
        assert_eq!(books::number(shop, Service::Payments, sql).await, told, "{sql}");
    }
    let kept = books::put_in_and_sold(shop).await;
    for (product, price) in &market.products {
        let units =
            |lines: &[(i64, i64)]| -> i64 { lines.iter().filter(|line| line.0 == *product).map(|line| line.1).sum() };
        let bought = entries.iter().filter(|entry| entry.status == 201);
        let sold: i64 = bought.map(|entry| units(&entry.lines) - units(&entry.cancelled)).sum();
        let (put_in, shop_sold) = kept[product];
        let left = stock(&market.admin, *product).await;
        assert_eq!(shop_sold, sold, "product {product} at {price}: sold by the shop, bought by the buyers");
        assert_eq!(left + sold, put_in, "product {product} at {price}: stock + sold = put in");
    }
}

/// Kills of `victims` and of PostgreSQL at random moments.
pub async fn survive_kills(mut shop: Shop, victims: &[usize], kills: u32) {
    let seed = amount("ESTORE_TEST_SEED", rand::random::<u64>());
    println!("seed {seed} (ESTORE_TEST_SEED repeats the choices, not the moments)");
    let mut dice = StdRng::seed_from_u64(seed);
    let market = Market::open(&shop).await;
    let stop = Arc::new(AtomicBool::new(false));
    let buyers: Vec<_> = (0..BUYERS)
        .map(|n| tokio::spawn(Box::pin(market.clone().buy(seed.wrapping_add(n), Arc::clone(&stop)))))
        .collect();
    let begun = Instant::now();
    let (of_postgresql, slowest) = kill_at_random(&mut shop, &mut dice, kills, victims).await;
    stop.store(true, Ordering::Relaxed);
    let mut entries = Vec::new();
    for buyer in buyers {
        entries.extend(buyer.await.expect("a buyer's book"));
    }
    let bought_for = begun.elapsed();
    let closed = verify_clean(&shop, RESUME_TIME_MAX).await;
    compare(&shop, &market, &entries).await;
    let with = |status| entries.iter().filter(|entry| entry.status == status).count();
    println!(
        "{kills} kills in {} s, {of_postgresql} of them PostgreSQL's; {} requests: {} bought, {} not charged, {} out of stock; slowest return {} ms; \
         books closed after {} ms",
        bought_for.as_secs(),
        entries.len(),
        with(201),
        with(402),
        with(409),
        slowest.as_millis(),
        closed.as_millis(),
    );
    assert!(with(201) > 0, "nobody bought anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_of_one_process_and_its_postgresql() {
    survive_kills(own_shop(Processes::One).await, &[0], amount("ESTORE_TEST_KILLS", 4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_of_three_services_and_their_postgresql() {
    let victims = [USERS, INVENTORY, PAYMENTS, INVENTORY, PAYMENTS, DATABASE];
    survive_kills(own_shop(Processes::Three).await, &victims, amount("ESTORE_TEST_KILLS", 4)).await;
}
