//! How many SQL statements a request costs, by route; it does not grow with the page or the lines.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use reqwest::Method;
use serde_json::json;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::own_shop;

/// How long nothing may have been asked of the server before what was asked for counts as done.
const QUIET_TIME: Duration = Duration::from_millis(1_200);

/// Every statement of the server but those of who looks at it and who seals its audit log, by its normalised text, with its
/// count of calls.
async fn calls(client: &tokio_postgres::Client) -> BTreeMap<String, i64> {
    let sql = "SELECT query, sum(calls)::bigint FROM pg_stat_statements
                WHERE userid <> 'estore_monitor'::regrole AND query !~ 'pg_stat_statements|^-- .*audit' AND query !~* '^(begin|commit|rollback|start transaction|set |reset |discard)'
                GROUP BY query";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

struct Meter {
    client: tokio_postgres::Client,
    /// What runs without any request: polling jobs.
    background: HashSet<String>,
}

impl Meter {
    async fn of(shop: &Shop) -> Self {
        let url = shop.estore(&["db", "url", "inventory"], "");
        let (client, connection) = tokio_postgres::connect(url.trim(), NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { client, background: HashSet::new() }
    }

    /// Learns what runs by itself.
    async fn learn(&mut self) {
        let before = calls(&self.client).await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        let after = calls(&self.client).await;
        let ran = after.into_iter().filter(|(query, count)| before.get(query) != Some(count));
        self.background.extend(ran.map(|(query, _)| query));
    }

    /// The calls that something asked for.
    fn foreground<'a>(&'a self, calls: &'a BTreeMap<String, i64>) -> impl Iterator<Item = (&'a String, &'a i64)> {
        calls.iter().filter(|(query, _)| !self.background.contains(*query))
    }

    /// The statements that `work` costs.
    async fn cost(&self, work: impl Future<Output = ()>) -> BTreeMap<String, i64> {
        let before = calls(&self.client).await;
        work.await;
        // What follows an order (its event, the sale of its hold) belongs to it: as long as it takes.
        let (mut after, mut quiet_since) = (calls(&self.client).await, Instant::now());
        while quiet_since.elapsed() < QUIET_TIME {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = calls(&self.client).await;
            if self.foreground(&now).ne(self.foreground(&after)) {
                quiet_since = Instant::now();
            }
            after = now;
        }
        let costs = after.into_iter().map(|(query, count)| {
            let cost = count - before.get(&query).copied().unwrap_or(0);
            (query, cost)
        });
        costs.filter(|(query, cost)| *cost > 0 && !self.background.contains(query)).collect()
    }
}

fn sum(costs: &BTreeMap<String, i64>) -> i64 {
    costs.values().sum()
}

#[tokio::test]
async fn reads_cost_few_statements_whatever_the_page() {
    let shop = own_shop(Processes::One).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let mut csv = String::from("sku,name,price,quantity\n");
    for n in 0..150 {
        csv.push_str(&format!("S-{n},Sample {n},1.00,100\n"));
    }
    let _imported = admin.send_raw(Method::POST, "/v1/products/import", "text/csv", csv.into_bytes()).await.expect(200);
    let product = admin.product(5, 100).await;
    let method = buyer.card(CARD_APPROVED).await;
    for _ in 0..3 {
        let _order = buyer.order(&Uuid::now_v7().to_string(), product, 1, method).await.expect(201);
    }
    let mut meter = Meter::of(&shop).await;
    meter.learn().await;
    // From memory, as long as the stock there is fresh: one read out of a few may find it too old on a busy machine.
    for path in
        [format!("/v1/products/{product}"), "/v1/products?limit=1".to_owned(), "/v1/products?limit=100".to_owned()]
    {
        let mut costs = Vec::new();
        while costs.last() != Some(&0) && costs.len() < 10 {
            let _warm = buyer.get(&path).await.expect(200);
            let cost = meter
                .cost(async {
                    let _page = buyer.get(&path).await.expect(200);
                })
                .await;
            assert!(sum(&cost) <= 1, "{path} costs {cost:#?}");
            costs.push(sum(&cost));
        }
        assert_eq!(costs.last(), Some(&0), "{path} never comes from memory");
    }
    let routes = [
        ("/v1/products?limit={}&sort=price&in_stock=true".to_owned(), 2),
        ("/v1/products?limit={}&q=sample&in_stock=true".to_owned(), 2),
        ("/v1/categories?limit={}".to_owned(), 1),
        // They say themselves for whom they are.
        ("/v1/orders?limit={}".to_owned(), 1),
        ("/v1/payment-methods?limit={}".to_owned(), 1),
    ];
    for (path, most) in routes {
        let mut costs = Vec::new();
        for limit in ["1", "100"] {
            let path = path.replace("{}", limit);
            let _warm = buyer.get(&path).await.expect(200);
            let cost = meter
                .cost(async {
                    let _page = buyer.get(&path).await.expect(200);
                })
                .await;
            assert!(sum(&cost) <= most, "{path} costs {cost:#?}");
            costs.push(sum(&cost));
        }
        assert_eq!(costs[0], costs[1], "{path} costs more for a larger page");
    }
}

#[tokio::test]
async fn a_checkout_costs_the_same_for_one_line_and_for_many() {
    let shop = own_shop(Processes::One).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let method = buyer.card(CARD_APPROVED).await;
    let mut products = Vec::new();
    for _ in 0..40 {
        products.push(admin.product(5, 1_000).await);
    }
    let mut meter = Meter::of(&shop).await;
    let buy = async |count: usize| {
        let lines: Vec<_> = products[..count].iter().map(|id| json!({ "product_id": id, "quantity": 1 })).collect();
        let body = json!({ "lines": lines, "payment_method_id": method });
        let key = Uuid::now_v7().to_string();
        let _bought =
            buyer.send(Method::POST, "/v1/checkouts", Some(&body), &[("idempotency-key", &key)]).await.expect(201);
    };
    buy(2).await;
    meter.learn().await;
    let one = meter.cost(buy(1)).await;
    let many = meter.cost(buy(40)).await;
    assert_eq!(sum(&one), sum(&many), "one line: {one:#?}\nforty lines: {many:#?}");
    assert!(sum(&one) <= 20, "{one:#?}");
}
