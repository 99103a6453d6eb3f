//! How long `estore verify` takes on a shop of many orders while it goes on selling, and how much memory it needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::api::{Api, Call};
use crate::customers;
use crate::database::{connect, numbers};
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs};

/// How long it may take on a million orders, in milliseconds.
const MILLION_MS_MAX: u64 = 60_000;
/// Products that are sold; their ids are 1 and up.
const PRODUCTS: u64 = 10_000;
/// Checks that are named with their time.
const SLOWEST: usize = 5;

/// What to verify.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// How many orders the shop has, each a checkout of its own.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    orders: u64,
    /// How many buyers go on buying meanwhile.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=64))]
    buyers: u8,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Fills a shop, verifies it while it sells, and answers whether it was quick enough and found nothing.
pub(crate) async fn run(args: VerifyArgs) -> Result<bool, Failure> {
    if args.shop.data_dir.as_ref().is_some_and(|dir| dir.exists()) {
        return Err(Failure::new("--data-dir must not exist yet: the shop is filled from nothing"));
    }
    let mut shop = Shop::new(&args.shop)?;
    shop.start().await?;
    let began = Instant::now();
    fill(&shop, args.orders, PRODUCTS).await?;
    let mut figures = vec![Figure::told("shop filled", "ms", millis(began))];
    let selling = Selling::start(&shop, args.buyers).await?;
    let payments = connect(&shop, "payments").await?;
    let spilled = "SELECT temp_bytes / 1048576 FROM pg_stat_database WHERE datname = current_database()";
    let [before] = numbers(&payments, spilled).await?;
    say("estore verify");
    let began = Instant::now();
    let verified = shop.run(&["verify", "--json"], None).await;
    let took = millis(began);
    let bought = selling.stop().await?;
    let [after] = numbers(&payments, spilled).await?;
    let [orders] = numbers(&payments, "SELECT count(*) FROM orders").await?;
    if let Err(failure) = &verified {
        say(failure);
    }
    let found: Value = serde_json::from_str(verified.as_deref().unwrap_or_default()).unwrap_or_default();
    figures.extend([
        Figure::told("orders in the shop", "orders", orders),
        Figure::at_most("estore verify", "ms", took, MILLION_MS_MAX.max(MILLION_MS_MAX / 1_000 * args.orders / 1_000)),
        Figure::exact("promises broken (estore verify)", "", u64::from(verified.is_err()), 0),
        Figure::told("in flight while it was verified", "", sum(&found, "in_flight")),
        Figure::told("bought while it was verified", "orders", bought),
        Figure::told("memory of estore verify, at most", "KiB", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss()),
        Figure::told("written by PostgreSQL to sort and join", "MiB", after - before),
    ]);
    figures.extend(slowest(&found));
    shop.stop().await?;
    report::print(&figures, args.json)
}

fn sum(found: &Value, field: &str) -> u64 {
    let checks = found["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    checks.iter().filter_map(|check| check[field].as_u64()).sum()
}

fn slowest(found: &Value) -> Vec<Figure> {
    let mut checks = found["checks"].as_array().cloned().unwrap_or_default();
    checks.sort_by_key(|check| std::cmp::Reverse(check["milliseconds"].as_u64()));
    let told = |check: &Value| {
        let name = format!("of that: {}", check["name"].as_str().unwrap_or_default());
        Figure::told(name, "ms", check["milliseconds"].clone())
    };
    checks.iter().take(SLOWEST).map(told).collect()
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Writes the same checkouts into all three databases.
pub(crate) async fn fill(shop: &Shop, orders: u64, products: u64) -> Result<(), Failure> {
    let files = [
        ("users", include_str!("../queries/fill_users.sql")),
        ("inventory", include_str!("../queries/fill_inventory.sql")),
        ("payments", include_str!("../queries/fill_payments.sql")),
    ];
    for (service, file) in files {
        say(format!("filling the database of {service}"));
        let client = connect(shop, service).await?;
        client.batch_execute("SET synchronous_commit = off").await?;
        let sql = file
            .replace("$orders", &orders.to_string())
            .replace("$products", &products.to_string())
            .replace("$users", &(orders / 10).to_string());
        for statement in sql.split_inclusive(";\n") {
            client.batch_execute(statement).await.map_err(|error| Failure::from(error).while_doing(statement))?;
        }
    }
    Ok(())
}

/// Buyers who buy until they are stopped.
pub(crate) struct Selling {
    buyers: JoinSet<Result<(), Failure>>,
    is_over: Arc<AtomicBool>,
    bought: Arc<AtomicU64>,
}

impl Selling {
    pub(crate) async fn start(shop: &Shop, buyers: u8) -> Result<Self, Failure> {
        let api = Arc::new(Api::new(shop.url())?);
        let buyer = customers::administrator(shop, &api).await?;
        let accounts = Arc::new(Accounts::new(api.clone(), vec![buyer]));
        let (is_over, bought) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut running = JoinSet::new();
        for n in 0..u64::from(buyers) {
            let (api, accounts) = (api.clone(), accounts.clone());
            let (is_over, bought) = (is_over.clone(), bought.clone());
            running.spawn(async move {
                let mut product = n;
                while !is_over.load(Ordering::Relaxed) {
                    product = (product + 17) % PRODUCTS;
                    buy(&api, &accounts, product + 1).await?;
                    bought.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        Ok(Self { buyers: running, is_over, bought })
    }

    /// How many orders were placed.
    pub(crate) async fn stop(mut self) -> Result<u64, Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(buyer) = self.buyers.join_next().await {
            buyer??;
        }
        Ok(self.bought.load(Ordering::Relaxed))
    }
}

async fn buy(api: &Api, accounts: &Accounts, product: u64) -> Result<(), Failure> {
    let (token, card) = accounts.payer(0).await?;
    let body = json!({"product_id": product, "quantity": 1, "payment_method_id": card});
    let key = Uuid::now_v7().to_string();
    let answer = api.ask(Call::post("/v1/orders", &body).by(&token).once(&key)).await?;
    answer.expect(StatusCode::CREATED, "POST /v1/orders")?;
    Ok(())
}
