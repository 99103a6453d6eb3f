//! What maintenance costs the shop: orders at full speed with a run of it beside them, against orders alone before and
//! after. The run is the worst there can be: every table and every index of a shop with past orders is taken as in need.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::buying::{self, Basket, Buying};
use super::large::{self, Size};
use super::measure::{Measured, address, measure, quiet_shop};
use super::run::{self, Pace};
use super::stage;
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs};

/// Products of the shop.
const PRODUCTS: usize = 10_000;
/// Buyers, each with one order under way.
const BUYERS: usize = 64;
/// The share of orders that must be left.
const KEPT_MIN: f64 = 0.85;
/// Everything is in need. The server itself must not begin a run of its own.
const SETTINGS: [(&str, &str); 8] = [
    ("ESTORE_MAINTENANCE__SCHEDULE", "never"),
    ("ESTORE_MAINTENANCE__LOCK_SECONDS_MAX", "60"),
    ("ESTORE_MAINTENANCE__THRESHOLDS__DEAD_ROWS", "0"),
    ("ESTORE_MAINTENANCE__THRESHOLDS__DEAD_PERCENT", "0"),
    ("ESTORE_MAINTENANCE__THRESHOLDS__CHANGED_ROWS", "0"),
    ("ESTORE_MAINTENANCE__THRESHOLDS__CHANGED_PERCENT", "0"),
    ("ESTORE_MAINTENANCE__THRESHOLDS__AIR_MIB", "0"),
    ("ESTORE_MAINTENANCE__THRESHOLDS__AIR_PERCENT", "0"),
];

/// How much to measure.
#[derive(Debug, Args)]
pub(crate) struct MaintainArgs {
    /// Past orders of the shop.
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    orders: u32,
    /// Seconds of each stretch: orders alone, with maintenance, alone.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(2..=600))]
    seconds: u64,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Measures; whether enough orders were left. Past orders are filled in without the books around them, so `estore verify`
/// is no part of this.
pub(crate) async fn run(args: MaintainArgs) -> Result<bool, Failure> {
    let mut shop = quiet_shop(&args.shop)?;
    for (name, value) in SETTINGS {
        shop.set(name, value);
    }
    shop.start().await?;
    let stage = stage::set(&shop, PRODUCTS, BUYERS).await?;
    shop.stop().await?;
    shop.start_databases().await?;
    large::fill(&shop, Size { products: 0, orders: args.orders }).await?;
    shop.stop().await?;
    shop.start().await?;
    let askings = buying::buyers(&stage, Basket { hot: false, lines: 1, may_refuse: false }, BUYERS);
    let shop = Arc::new(shop);
    let figures = measured(&shop, askings, args.seconds).await?;
    if let Some(mut shop) = Arc::into_inner(shop) {
        shop.stop().await?;
    }
    report::print(&figures, args.json)
}

async fn measured(shop: &Arc<Shop>, askings: Vec<Buying>, seconds: u64) -> Result<Vec<Figure>, Failure> {
    let pace = |seconds| Pace { time: Duration::from_secs(seconds), rate: None };
    let (_, askings) = run::run(address(shop)?, askings, pace(3)).await?;
    say("orders alone");
    let before = stretch(shop, &askings, seconds).await?;
    say("orders beside maintenance");
    let is_over = Arc::new(AtomicBool::new(false));
    let upkeep = tokio::spawn(keep_maintaining(shop.clone(), is_over.clone()));
    // It has looked around and begun by then.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let beside = stretch(shop, &askings, seconds).await?;
    is_over.store(true, Ordering::Relaxed);
    let actions = upkeep.await??;
    say("orders alone");
    let after = stretch(shop, &askings, seconds).await?;
    let alone = u64::midpoint(before.tally.per_second(), after.tally.per_second());
    let mut figures = vec![Figure::share("maintain_cost", "orders/s", beside.tally.per_second(), alone, KEPT_MIN)];
    for (name, Measured { tally, .. }) in [("before", &before), ("beside", &beside), ("after", &after)] {
        figures.push(Figure::told(format!("maintain_{name}"), "orders/s", tally.per_second()));
        let p99 = report::millis(tally.latency_within(9_900));
        figures.push(Figure::told(format!("maintain_{name}_p99"), "ms", p99));
    }
    figures.push(Figure::told("maintain_actions", "", actions));
    Ok(figures)
}

async fn stretch(shop: &Shop, askings: &[Buying], seconds: u64) -> Result<Measured, Failure> {
    // Keys of their own: each stretch counts on where the last one ended.
    let askings = askings.iter().map(Buying::afresh).collect();
    measure(shop, askings, Pace { time: Duration::from_secs(seconds), rate: None }).await
}

/// Runs maintenance again and again; answers how many actions were done.
async fn keep_maintaining(shop: Arc<Shop>, is_over: Arc<AtomicBool>) -> Result<usize, Failure> {
    let mut done = 0;
    while !is_over.load(Ordering::Relaxed) {
        let words = ["db", "maintain", "--now", "--json", "--only", "vacuum,analyze,reindex"];
        let report: Value = serde_json::from_str(&shop.run(&words, None).await?)?;
        let actions = report["actions"].as_array().map_or(0, Vec::len);
        if actions == 0 {
            return Err(Failure::new("maintenance found nothing to do"));
        }
        done += actions;
    }
    Ok(done)
}
