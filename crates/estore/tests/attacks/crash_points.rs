//! Before and after every commit, the process dies by SIGKILL; the next one finishes or undoes what it left.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use estore_ops::roles::Service;
use estore_testkit::client::{Answer, CARD_APPROVED, CARD_DECLINED, Client};
use estore_testkit::shop::{INVENTORY, PAYMENTS, Processes, Shop};
use serde_json::{Value, json};

use crate::buyers::{insist, key, once, order_of, stock, stock_becomes, verify_clean};
use crate::{amount, books, own_shop};

/// How soon after the restart the books must close.
const RESUME_TIME_MAX: Duration = Duration::from_secs(30);
/// Cents.
const PRICE: i64 = 700;

/// The service that a point is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Payments,
    Inventory,
}

/// The request that leads to a point, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// An order that is placed: by the first process, by the resumer, or by the retry where it had to be undone.
    Place,
    /// An order whose card is declined.
    Decline,
    /// An order of more than there is.
    Short,
    /// Cancelling a paid order.
    Cancel,
    /// Refunding part of a paid order.
    Refund,
}

/// No death but what PostgreSQL's own may do to keys, whose commits do not wait for the disk.
const KEYS_LOST: &str = "keys lost";

/// A crash point: its name, where it is, what leads there, and at which points processes die before it.
struct Point(&'static str, At, Act, &'static [&'static str]);

/// Every crash point of the shop; a test compares them with the sources.
const POINTS: &[Point] = &[
    Point("before_take_key", At::Payments, Act::Place, &[]),
    Point("after_take_key", At::Payments, Act::Place, &[]),
    Point("before_hold", At::Payments, Act::Place, &[]),
    Point("hold_before_commit", At::Inventory, Act::Place, &[]),
    Point("hold_after_commit", At::Inventory, Act::Place, &[]),
    Point("after_hold", At::Payments, Act::Place, &[]),
    Point("before_write", At::Payments, Act::Place, &[]),
    Point("write_before_commit", At::Payments, Act::Place, &[]),
    Point("after_write", At::Payments, Act::Place, &[]),
    Point("before_charge", At::Payments, Act::Place, &[]),
    Point("after_charge", At::Payments, Act::Place, &[]),
    Point("settle_before_commit", At::Payments, Act::Place, &[]),
    Point("after_settle", At::Payments, Act::Place, &[]),
    Point("before_tell", At::Payments, Act::Place, &[]),
    Point("sell_before_commit", At::Inventory, Act::Place, &[]),
    Point("sell_after_commit", At::Inventory, Act::Place, &[]),
    Point("before_drop_told", At::Payments, Act::Place, &[]),
    Point("after_drop_told", At::Payments, Act::Place, &[]),
    Point("release_before_commit", At::Inventory, Act::Decline, &[]),
    Point("release_after_commit", At::Inventory, Act::Decline, &[]),
    Point("before_finish", At::Payments, Act::Short, &[]),
    Point("after_finish", At::Payments, Act::Short, &[]),
    Point("before_resume_close", At::Payments, Act::Place, &["before_charge"]),
    Point("after_resume_close", At::Payments, Act::Place, &["after_charge"]),
    Point("after_resume", At::Payments, Act::Place, &["after_write"]),
    Point("after_fence_keys", At::Payments, Act::Place, &["after_hold"]),
    Point("before_free_keys", At::Payments, Act::Place, &["after_hold", "after_fence_keys"]),
    Point("after_free_keys", At::Payments, Act::Place, &["after_hold"]),
    Point("before_sweep_release", At::Payments, Act::Place, &["after_hold", KEYS_LOST]),
    Point("after_sweep_release", At::Payments, Act::Place, &["before_write", KEYS_LOST]),
    Point("before_cancel", At::Payments, Act::Cancel, &[]),
    Point("after_cancel", At::Payments, Act::Cancel, &[]),
    Point("after_cancel_refund", At::Payments, Act::Cancel, &[]),
    Point("restock_before_commit", At::Inventory, Act::Cancel, &[]),
    Point("restock_after_commit", At::Inventory, Act::Cancel, &[]),
    Point("before_reserve", At::Payments, Act::Refund, &[]),
    Point("after_reserve", At::Payments, Act::Refund, &[]),
    Point("before_pay_out", At::Payments, Act::Refund, &[]),
    Point("after_pay_out", At::Payments, Act::Refund, &[]),
    Point("before_book", At::Payments, Act::Refund, &[]),
    Point("after_book", At::Payments, Act::Refund, &[]),
    Point("before_resume_refund", At::Payments, Act::Refund, &["after_reserve"]),
    Point("after_resume_refund", At::Payments, Act::Refund, &["after_pay_out"]),
];

/// What a request leaves when all is well.
struct Expected {
    status: u16,
    /// Units that are gone.
    taken: i64,
    charged: i64,
    refunded: i64,
}

struct Cast {
    admin: Client,
    buyer: Client,
    method: i64,
    declined: i64,
}

/// A request, ready to be sent any number of times.
struct Request<'a> {
    who: &'a Client,
    path: String,
    key: String,
    body: Value,
    /// The key of the order that it is about.
    order_key: String,
    product: i64,
    expected: Expected,
}

impl Cast {
    async fn of(shop: &Shop) -> Self {
        let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
        let (method, declined) = (buyer.card(CARD_APPROVED).await, buyer.card(CARD_DECLINED).await);
        Self { admin, buyer, method, declined }
    }

    async fn request(&self, act: Act) -> Request<'_> {
        let product = self.admin.product(PRICE, 5).await;
        let order = |quantity, method| order_of(product, quantity, method);
        let (path, order_key) = ("/v1/orders".to_owned(), key());
        let expected = |status, taken, charged, refunded| Expected { status, taken, charged, refunded };
        let plain = |body, expected| {
            let (path, key, order_key) = (path.clone(), order_key.clone(), order_key.clone());
            Request { who: &self.buyer, path, key, body, order_key, product, expected }
        };
        match act {
            Act::Place => plain(order(1, self.method), expected(201, 1, PRICE, 0)),
            Act::Decline => plain(order(1, self.declined), expected(402, 0, 0, 0)),
            Act::Short => plain(order(6, self.method), expected(409, 0, 0, 0)),
            Act::Cancel | Act::Refund => {
                let paid = insist(&self.buyer, &path, &order_key, &order(1, self.method)).await.expect(201).id();
                let (who, path, body, expected) = if act == Act::Cancel {
                    let path = format!("/v1/orders/{paid}/cancel");
                    (&self.buyer, path, json!({}), expected(200, 0, PRICE, PRICE))
                } else {
                    let body = json!({ "amount": PRICE - 1, "reason": "scratched" });
                    (&self.admin, format!("/v1/orders/{paid}/refunds"), body, expected(201, 1, PRICE, PRICE - 1))
                };
                Request { who, path, key: key(), body, order_key, product, expected }
            }
        }
    }
}

impl Request<'_> {
    async fn once(&self) -> Option<Answer> {
        once(self.who, &self.path, &self.key, &self.body).await
    }
}

/// What the armed process is told besides.
fn variables(armed: Option<&str>) -> Vec<(&str, &str)> {
    let mut variables = vec![("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "2")];
    variables.extend(armed.map(|name| ("ESTORE_TEST_CRASH_AT", name)));
    variables
}

/// The process that the point is in dies there (after others died at earlier points) and is started again.
async fn die_at(shop: &mut Shop, Point(name, at, _, before): &Point, request: &Request<'_>) {
    let which = match (shop.processes, at) {
        (Processes::One, _) => 0,
        (Processes::Three, At::Payments) => PAYMENTS,
        (Processes::Three, At::Inventory) => INVENTORY,
    };
    for (nth, armed) in before.iter().chain([name]).enumerate() {
        if *armed == KEYS_LOST {
            let payments = shop.database(Service::Payments).await;
            payments.execute("DELETE FROM idempotency_keys WHERE state = 'running'", &[]).await.unwrap();
            continue;
        }
        shop.kill(which);
        shop.launch(which, &variables(Some(armed)));
        if nth == 0 {
            shop.wait_until_ready().await;
            let _cut_off_or_answered = request.once().await;
        }
        assert!(shop.has_ended(which, Duration::from_secs(40)).await, "{name}: {armed} is never reached");
    }
    shop.launch(which, &variables(None));
    shop.wait_until_ready().await;
}

async fn survive(shop: &mut Shop, cast: &Cast, point: &Point) {
    let Point(name, _, act, _) = point;
    let request = cast.request(*act).await;
    die_at(shop, point, &request).await;
    let Expected { status, taken, charged, refunded } = request.expected;
    let answer = insist(request.who, &request.path, &request.key, &request.body).await;
    assert_eq!(answer.status, status, "{name}: {}", answer.text);
    stock_becomes(&cast.admin, request.product, 5 - taken).await;
    verify_clean(shop, RESUME_TIME_MAX).await;
    let record = books::of_key(shop, &request.order_key).await;
    let paid = i64::from(charged > 0);
    assert_eq!((record.paid, record.orders, record.charges), (paid, paid, paid), "{name}: {record:?}");
    assert_eq!((record.charged, record.refunded), (charged, refunded), "{name}: {record:?}");
    assert_eq!(stock(&cast.admin, request.product).await, 5 - taken, "{name}");
    let again = request.once().await.expect("an answer");
    assert_eq!(again.status, status, "{name}: {}", again.text);
    if status != 200 {
        assert_eq!(again.text, answer.text, "{name}: the one true answer");
    }
}

async fn survive_all(processes: Processes, points: impl Iterator<Item = &Point>) {
    let mut shop = own_shop(processes).await;
    if processes == Processes::Three {
        shop.restart(PAYMENTS, &variables(None)).await;
    }
    let cast = Cast::of(&shop).await;
    for point in points {
        let begun = std::time::Instant::now();
        survive(&mut shop, &cast, point).await;
        println!("{:>6} ms  {}", begun.elapsed().as_millis(), point.0);
    }
}

#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn a_death_before_or_after_a_commit_of_an_order_changes_nothing() {
    survive_all(Processes::One, POINTS.iter().filter(|point| is_order(point))).await;
}

#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn a_death_before_or_after_a_commit_of_a_cancel_refund_or_resume_changes_nothing() {
    survive_all(Processes::One, POINTS.iter().filter(|point| !is_order(point))).await;
}

/// A claim that died with its process does not count as an attempt that is to be waited after.
#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn a_resumer_that_dies_again_and_again_takes_up_at_once() {
    let checkout: Vec<&str> = ["before_charge"].into_iter().chain(["before_resume_close"; 7]).collect();
    let refund: Vec<&str> = ["after_reserve"].into_iter().chain(["before_resume_refund"; 7]).collect();
    let points = [
        Point("before_resume_close", At::Payments, Act::Place, checkout.leak()),
        Point("before_resume_refund", At::Payments, Act::Refund, refund.leak()),
    ];
    survive_all(Processes::One, points.iter()).await;
}

/// The points in inventory, and some in payments (all of them in the long form).
#[tokio::test]
#[cfg_attr(not(feature = "crash-points"), ignore = "built without the feature crash-points")]
async fn a_death_of_one_service_of_three_changes_nothing() {
    let some = ["after_hold", "after_charge", "settle_before_commit", "after_cancel", "after_pay_out"];
    let all = amount("ESTORE_TEST_ALL_POINTS", false);
    let chosen = |point: &&Point| all || point.1 == At::Inventory || some.contains(&point.0);
    survive_all(Processes::Three, POINTS.iter().filter(chosen)).await;
}

fn is_order(Point(_, _, act, before): &Point) -> bool {
    before.is_empty() && !matches!(act, Act::Cancel | Act::Refund)
}

#[test]
fn every_point_of_the_sources_is_walked() {
    let mut found = BTreeSet::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for folder in std::fs::read_dir(crates).unwrap() {
        find_points(&folder.unwrap().path().join("src"), &mut found);
    }
    let others = || crate::gateways::POINTS.iter().chain(crate::hearing::POINTS).copied();
    let names = || POINTS.iter().map(|point| point.0).chain(others());
    let walked: BTreeSet<String> = names().map(str::to_owned).collect();
    assert_eq!(found, walked);
    assert_eq!(walked.len(), names().count(), "a point is listed twice");
}

fn find_points(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| find_points(&entry.unwrap().path(), found));
    } else if path.extension().is_some_and(|kind| kind == "rs") {
        let source = std::fs::read_to_string(path).unwrap();
        let names = source.split("crash::point(\"").skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(names.map(str::to_owned));
    }
}
