//! `load large`: orders in a shop that has been open for long, against the same shop while it was new.

use std::time::Duration;

use clap::Args;

use super::buying::{self, Basket};
use super::large::{self, Size};
use super::measure::{address, measure, quiet_shop, verify};
use super::run::{self, Pace};
use super::stage::{self, Stage};
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs};

/// Products of the new shop.
const PRODUCTS: usize = 10_000;
/// Buyers, each with one order under way.
const BUYERS: usize = 64;
/// The share of the new shop's rate that must be left.
const KEPT_MIN: f64 = 0.8;

/// How large.
#[derive(Debug, Args)]
pub(crate) struct LargeArgs {
    /// Products of the large shop.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10_000..=5_000_000))]
    products: u32,
    /// Its past orders.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    orders: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Measures the new shop, fills it, measures again; whether enough orders were left. Past orders are filled in without
/// the books around them, so `estore verify` looks at the new shop alone.
pub(crate) async fn run(args: LargeArgs) -> Result<bool, Failure> {
    let mut shop = quiet_shop(&args.shop)?;
    shop.start().await?;
    let mut stage = stage::set(&shop, PRODUCTS, BUYERS).await?;
    say("orders in the new shop");
    let new = orders(&shop, &stage, args.seconds).await?;
    let mut figures = vec![verify(&shop).await];
    shop.stop().await?;
    shop.start_databases().await?;
    let took = large::fill(&shop, Size { products: args.products, orders: args.orders }).await?;
    stage.wares = large::wares(&shop).await?;
    shop.stop().await?;
    shop.start().await?;
    say("orders in the large shop");
    let rate = orders(&shop, &stage, args.seconds).await?;
    shop.stop().await?;
    figures.push(Figure::told("order_large_data_fill", "s", took.as_secs()));
    figures.push(Figure::told("order_large_data_products", "products", args.products));
    figures.push(Figure::told("order_large_data_orders", "orders", args.orders));
    figures.push(Figure::share("order_large_data", "orders/s", rate, new, KEPT_MIN));
    report::print(&figures, args.json)
}

/// Orders a second at full speed, after a warm-up of the same.
async fn orders(shop: &Shop, stage: &Stage, seconds: u64) -> Result<u64, Failure> {
    let pace = |seconds| Pace { time: Duration::from_secs(seconds), rate: None };
    let askings = buying::buyers(stage, Basket { hot: false, lines: 1, may_refuse: false }, BUYERS);
    let (_, askings) = run::run(address(shop)?, askings, pace(3)).await?;
    Ok(measure(shop, askings, pace(seconds)).await?.tally.per_second())
}
