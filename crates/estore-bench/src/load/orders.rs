//! `load orders`: one load of orders, for a look at a time or for a profiler.

use std::time::Duration;

use clap::Args;

use super::buying::{self, Basket};
use super::measure::{address, measure, quiet_shop, resident_kib, told, verify};
use super::run::{self, Pace};
use super::stage;
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::ShopArgs;

/// How to order.
#[derive(Debug, Args)]
pub(crate) struct OrdersArgs {
    /// Keep-alive connections; each has one order under way.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=9_000))]
    connections: u16,
    /// How long, in seconds, after the warm-up.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// How long the same load runs before, unmeasured, in seconds.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=600))]
    warm_up: u64,
    /// Orders a second that are due, whether or not the shop keeps up; without it each connection asks as soon as it is
    /// answered.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: Option<u64>,
    /// Everybody buys the same product.
    #[arg(long)]
    hot: bool,
    /// Lines of each checkout; one is `POST /v1/orders`.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100), conflicts_with = "hot")]
    lines: u16,
    /// Count 503 as turned away, instead of ending the run.
    #[arg(long)]
    may_refuse: bool,
    /// Say of each second how many orders were answered and how long the slowest took.
    #[arg(long)]
    by_second: bool,
    /// Products in the shop.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=5_000_000))]
    products: u32,
    /// Buyers, each with a token and a card.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    buyers: u16,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Runs it; whether every answer was right and every promise is kept.
pub(crate) async fn run(args: OrdersArgs) -> Result<bool, Failure> {
    let mut shop = quiet_shop(&args.shop)?;
    shop.start().await?;
    let stage = stage::set(&shop, usize::try_from(args.products)?, usize::from(args.buyers)).await?;
    let pids: Vec<String> = shop.pids().iter().map(u32::to_string).collect();
    say(format!("ordering at {}, estore is process {}", shop.url(), pids.join(", ")));
    let basket = Basket { hot: args.hot, lines: usize::from(args.lines), may_refuse: args.may_refuse };
    let askings = buying::buyers(&stage, basket, usize::from(args.connections));
    let warm = Pace { time: Duration::from_secs(args.warm_up), rate: args.rate };
    let pace = Pace { time: Duration::from_secs(args.seconds), rate: args.rate };
    let (_, askings) = run::run(address(&shop)?, askings, warm).await?;
    let measured = measure(&shop, askings, pace).await?;
    if args.by_second {
        let seconds = measured.tally.by_second.iter().zip(&measured.tally.slowest_by_second).enumerate();
        for (second, (orders, slowest)) in seconds {
            say(format!("second {second}: {orders} orders, the slowest in {} ms", slowest / 1_000));
        }
    }
    let mut figures = told(&measured);
    figures.push(Figure::told("resident memory of estore afterwards", "KiB", resident_kib(&shop)?));
    figures.push(verify(&shop).await);
    shop.stop().await?;
    report::print(&figures, args.json)
}
