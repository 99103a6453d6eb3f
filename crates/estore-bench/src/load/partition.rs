//! `partition`: what it costs the shop that goes on selling to have its orders partitioned, and what the partitions cost
//! afterwards.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use super::buying::{self, Basket};
use super::large;
use super::measure::{address, quiet_shop};
use super::run::{self, Pace};
use super::stage::{self, Stage};
use super::tally::Tally;
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs};

/// Products of the shop.
const PRODUCTS: usize = 10_000;
/// Buyers, and connections at once.
const BUYERS: usize = 64;
/// How long orders may be held up by one step, in microseconds.
const HELD_MICROS_MAX: u64 = 500_000;
/// How long the load runs before the table is turned, in seconds.
const AHEAD_SECONDS: usize = 2;

/// What to partition, and how long to measure.
#[derive(Debug, Args)]
pub(crate) struct PartitionArgs {
    /// Past orders of the shop.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    orders: u32,
    /// How long each stretch of orders is measured, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=600))]
    seconds: u64,
    /// How long orders flow around the turn, in seconds: longer than it takes.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    around: u64,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Measures; whether every figure is reached.
pub(crate) async fn run(args: PartitionArgs) -> Result<bool, Failure> {
    let mut shop = quiet_shop(&args.shop)?;
    shop.start().await?;
    let stage = stage::set(&shop, PRODUCTS, BUYERS).await?;
    shop.stop().await?;
    shop.start_databases().await?;
    large::fill_orders(&shop, args.orders).await?;
    shop.stop().await?;
    shop.start().await?;
    let seconds = Duration::from_secs(args.seconds);
    order(&shop, &stage, Duration::from_secs(3)).await?;
    let before = order(&shop, &stage, seconds).await?.per_second();
    let mut figures = vec![
        Figure::told("partition_orders", "orders", args.orders),
        Figure::told("partition_throughput_before", "orders/s", before),
    ];
    figures.extend(turn(&shop, &stage, (args.around, before), "partition", &[]).await?);
    let after = order(&shop, &stage, seconds).await?.per_second();
    figures.push(Figure::share("partition_throughput_after", "orders/s", after, before, 0.9));
    figures.extend(turn(&shop, &stage, (args.around, before), "partition_back", &["--back"]).await?);
    shop.stop().await?;
    report::print(&figures, args.json)
}

async fn order(shop: &Shop, stage: &Stage, time: Duration) -> Result<Tally, Failure> {
    let basket = Basket { hot: false, lines: 1, may_refuse: false };
    let askings = buying::buyers(stage, basket, BUYERS);
    Ok(run::run(address(shop)?, askings, Pace { time, rate: None }).await?.0)
}

/// Turns the table while orders flow: what was kept of the throughput, and how long orders were held up.
async fn turn(
    shop: &Shop,
    stage: &Stage,
    (around, before): (u64, u64),
    name: &str,
    words: &[&str],
) -> Result<Vec<Figure>, Failure> {
    say(name);
    let turned = async {
        tokio::time::sleep(Duration::from_secs(u64::try_from(AHEAD_SECONDS)?)).await;
        let began = Instant::now();
        let out = shop.run(&[&["db", "partition", "orders", "--json"], words].concat(), None).await?;
        Ok::<_, Failure>((began.elapsed(), serde_json::from_str::<Value>(&out).unwrap_or_default()))
    };
    let (flowing, turned) = tokio::join!(order(shop, stage, Duration::from_secs(around)), turned);
    let (tally, (took, told)) = (flowing?, turned?);
    // The seconds in which it worked, whole.
    let last = AHEAD_SECONDS + usize::try_from(took.as_secs())? + 1;
    let seconds = tally.by_second.get(AHEAD_SECONDS..last.min(tally.by_second.len())).unwrap_or_default();
    let kept = seconds.iter().sum::<u64>() / u64::try_from(seconds.len().max(1))?;
    let held = told["held_micros_max"].as_u64().unwrap_or(u64::MAX);
    Ok(vec![
        Figure::told(format!("{name}_took"), "ms", u64::try_from(took.as_millis())?),
        Figure::share(&format!("{name}_throughput_kept"), "orders/s", kept, before, 0.7),
        Figure::time_at_most(&format!("{name}_longest_lock"), held, HELD_MICROS_MAX),
        Figure::told(format!("{name}_latency_max"), "ms", report::millis(tally.latency.max())),
    ])
}
