//! Broken networks between the services and before PostgreSQL: every request is answered in time, nothing is lost,
//! and the shop recovers by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use estore_ops::postgres::ClusterAddress;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::proxy::{Fault, Proxy};
use estore_testkit::shop::{INVENTORY, PAYMENTS, Processes, Shop, USERS};

use crate::buyers::{insist, key, once, order_of, stock_becomes, verify_clean};
use crate::{amount, books, own_shop};

const BUYERS: usize = 16;
/// How soon after a fault orders are taken again.
const RECOVERY_TIME_MAX: Duration = Duration::from_secs(5);
/// How soon after the last fault the books must close.
const RESUME_TIME_MAX: Duration = Duration::from_secs(60);

/// What a cut request leaves is taken up by others soon: the test waits for each of them.
const IMPATIENT: (&str, &str) = ("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "2");

/// What is done to a proxy, for how long.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// All connections are cut, again and again.
    Cuts,
    /// The proxy's.
    Fault(Fault),
}

/// Those that a connection may outlive.
const TROUBLES: &[Trouble] = &[
    Trouble::Cuts,
    Trouble::Fault(Fault::Refuse),
    Trouble::Fault(Fault::Stall),
    Trouble::Fault(Fault::Delay(Duration::from_millis(100))),
    Trouble::Fault(Fault::DropReplies),
    Trouble::Fault(Fault::HalfClose),
];

async fn trouble(proxy: &Proxy, trouble: Trouble, lasts: Duration) {
    match trouble {
        Trouble::Cuts => {
            for _ in 0..10 {
                proxy.cut();
                tokio::time::sleep(lasts / 10).await;
            }
        }
        Trouble::Fault(fault) => {
            proxy.set(fault);
            if fault == Fault::Refuse {
                proxy.cut();
            }
            tokio::time::sleep(lasts).await;
            proxy.set(Fault::None);
        }
    }
}

/// Buys with fresh keys until told to stop, each insisted on; the keys, and the slowest single answer.
async fn buy(buyer: Client, product: i64, method: i64, stop: Arc<AtomicBool>) -> (Vec<String>, Duration) {
    let (mut keys, mut slowest) = (Vec::new(), Duration::ZERO);
    let body = order_of(product, 1, method);
    while !stop.load(Ordering::Relaxed) {
        let key = key();
        let begun = Instant::now();
        let first = once(&buyer, "/v1/orders", &key, &body).await;
        slowest = slowest.max(begun.elapsed());
        let answer = match first {
            Some(answer) if answer.status == 201 => answer,
            _ => insist(&buyer, "/v1/orders", &key, &body).await,
        };
        assert_eq!(answer.status, 201, "{}", answer.text);
        keys.push(key);
    }
    (keys, slowest)
}

/// How long after a fault a fresh order goes through.
async fn recovery(buyer: &Client, product: i64, method: i64) -> Duration {
    let begun = Instant::now();
    loop {
        let answer = once(buyer, "/v1/orders", &key(), &order_of(product, 1, method)).await;
        if answer.is_some_and(|answer| answer.status == 201) {
            return begun.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Each trouble with each proxy, under buyers; each lasts `short_ms`, in the long form as long as that says.
pub async fn survive_troubles(shop: &Shop, proxies: &[(&str, &Proxy)], troubles: &[Trouble], short_ms: u64) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let method = buyer.card(CARD_APPROVED).await;
    let lasts = Duration::from_millis(amount("ESTORE_TEST_FAULT_MS", short_ms));
    for (name, proxy) in proxies {
        for one in troubles {
            // The attempts of `recovery` go on sale apart, so that the books below are the buyers' alone.
            let (product, aside) = (admin.product(100, 100_000).await, admin.product(100, 100_000).await);
            let stop = Arc::new(AtomicBool::new(false));
            let buyers: Vec<_> = (0..BUYERS)
                .map(|_| tokio::spawn(Box::pin(buy(buyer.clone(), product, method, Arc::clone(&stop)))))
                .collect();
            tokio::time::sleep(Duration::from_millis(200)).await;
            trouble(proxy, *one, lasts).await;
            let recovered = recovery(&buyer, aside, method).await;
            stop.store(true, Ordering::Relaxed);
            let (mut keys, mut slowest) = (Vec::new(), Duration::ZERO);
            for buyer in buyers {
                let (bought, slow) = buyer.await.expect("a buyer's keys");
                keys.extend(bought);
                slowest = slowest.max(slow);
            }
            println!(
                "{name}, {one:?}: {} bought, slowest answer {} ms, first order after {} ms",
                keys.len(),
                slowest.as_millis(),
                recovered.as_millis()
            );
            assert!(recovered < RECOVERY_TIME_MAX, "{name}, {one:?}: the first order came after {recovered:?}");
            let sold = i64::try_from(keys.len()).unwrap();
            stock_becomes(&admin, product, 100_000 - sold).await;
            let records = books::of_keys(shop, &keys).await;
            assert_eq!(records.len(), keys.len());
            let bad: Vec<_> = records.iter().filter(|(_, record)| (record.paid, record.charges) != (1, 1)).collect();
            assert!(bad.is_empty(), "{name}, {one:?}: {bad:?}");
        }
    }
    verify_clean(shop, RESUME_TIME_MAX).await;
}

/// A shop whose PaymentService reaches InventoryService through a proxy.
pub async fn with_proxy_between(environment: &[(&str, &str)]) -> (Shop, Proxy) {
    let mut shop = own_shop(Processes::Three).await;
    let inventory = Proxy::tcp(shop.address.inventory.trim_start_matches("http://").parse().unwrap());
    let url = inventory.url();
    let variables = [environment, &[("ESTORE_SERVICES__INVENTORY_URL", url.as_str()), IMPATIENT]].concat();
    shop.restart(PAYMENTS, &variables).await;
    (shop, inventory)
}

/// A shop whose services reach their databases through proxies: users, inventory, payments.
pub async fn with_proxies_before_postgresql(environment: &[(&str, &str)]) -> (Shop, [Proxy; 3]) {
    let mut shop = own_shop(Processes::Three).await;
    let cluster = ClusterAddress::of(&shop.address.data_dir);
    let proxies = [USERS, INVENTORY, PAYMENTS].map(|_| Proxy::postgresql(cluster.socket_dir()));
    let services = [(USERS, "users"), (INVENTORY, "inventory"), (PAYMENTS, "payments")];
    for ((which, service), proxy) in services.into_iter().zip(&proxies) {
        let (variable, url) =
            (format!("ESTORE_DATABASES__{}__URL", service.to_uppercase()), proxy.database_url(service));
        let variables = [environment, &[(variable.as_str(), url.as_str()), IMPATIENT]].concat();
        shop.restart(which, &variables).await;
    }
    (shop, proxies)
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_between_the_services() {
    let (shop, inventory) = with_proxy_between(&[]).await;
    survive_troubles(&shop, &[("payments to inventory", &inventory)], TROUBLES, 1_500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_before_postgresql() {
    let (shop, [_users, inventory, payments]) = with_proxies_before_postgresql(&[]).await;
    let proxies = [("inventory's database", &inventory), ("payments' database", &payments)];
    survive_troubles(&shop, &proxies, TROUBLES, 1_500).await;
}
