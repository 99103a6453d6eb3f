//! Loads on the running shop, by a client that costs little and checks every answer.

mod buying;
mod client;
mod processor;
mod run;
mod stage;
mod tally;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs, resident_bytes};
use buying::Basket;
use processor::Used;
use run::Pace;
use tally::Tally;

/// The loads.
#[derive(Debug, Subcommand)]
pub(crate) enum Load {
    /// Paid orders, closed loop or at a fixed rate; ends with `estore verify`.
    Orders(OrdersArgs),
}

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

/// Runs the load; whether every answer was right and every promise is kept.
pub(crate) async fn run(load: Load) -> Result<bool, Failure> {
    match load {
        Load::Orders(args) => orders(args).await,
    }
}

/// What a measured stretch of a load came to.
#[derive(Debug)]
struct Measured {
    tally: Tally,
    used: Used,
}

async fn orders(args: OrdersArgs) -> Result<bool, Failure> {
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
    let mut figures = told(&measured);
    figures.push(Figure::told("resident memory of estore afterwards", "KiB", resident_kib(&shop)?));
    figures.push(verify(&shop).await);
    shop.stop().await?;
    report::print(&figures, args.json)
}

/// A shop of our own that sends no letters: a mail for each order would measure the mailer. Tokens outlive the run.
fn quiet_shop(args: &ShopArgs) -> Result<Shop, Failure> {
    let mut shop = Shop::new(args)?;
    shop.set("ESTORE_PAYMENTS__ORDER_MAILS", "false");
    shop.set("ESTORE_USERS__ACCESS_TOKEN_SECONDS", "7200");
    Ok(shop)
}

fn address(shop: &Shop) -> Result<SocketAddr, Failure> {
    Ok(shop.url().trim_start_matches("http://").parse()?)
}

/// Runs a load and reads the processor time around it.
async fn measure<A: run::Asking + 'static>(shop: &Shop, askings: Vec<A>, pace: Pace) -> Result<Measured, Failure> {
    let before = Used::now(shop)?;
    let (tally, _) = run::run(address(shop)?, askings, pace).await?;
    Ok(Measured { tally, used: Used::now(shop)?.since(before) })
}

/// The figures of a stretch.
fn told(Measured { tally, used }: &Measured) -> Vec<Figure> {
    let mut figures = vec![
        Figure::told("answered as asked", "", tally.done),
        Figure::told("rate", "per second", tally.per_second()),
        Figure::told("slowest second", "per second", slowest(&tally.by_second)),
        Figure::told("latency p50", "µs", tally.latency_within(5_000)),
        Figure::told("latency p99", "µs", tally.latency_within(9_900)),
        Figure::told("latency p99.9", "µs", tally.latency_within(9_990)),
        Figure::told("latency max", "µs", tally.latency.max()),
        Figure::told("processor time of estore", "ms", used.estore_ms),
        Figure::told("processor time of PostgreSQL", "ms", used.postgres_ms),
        Figure::told("processor time of the load", "ms", used.own_ms),
    ];
    if tally.refused > 0 {
        figures.push(Figure::told("turned away", "", tally.refused));
        figures.push(Figure::told("turned away within, p99", "µs", tally.refusal_within(9_900)));
    }
    figures
}

/// Of the whole seconds, the one with the least.
fn slowest(by_second: &[u64]) -> u64 {
    let whole = &by_second[..by_second.len().saturating_sub(1)];
    whole.iter().copied().min().unwrap_or(0)
}

fn resident_kib(shop: &Shop) -> Result<u64, Failure> {
    let mut bytes = 0;
    for pid in shop.pids() {
        bytes += resident_bytes(pid)?;
    }
    Ok(bytes / 1024)
}

/// Runs `estore verify`; a broken promise is a figure that is not good.
async fn verify(shop: &Shop) -> Figure {
    let began = Instant::now();
    let verified = shop.run(&["verify", "--json"], None).await;
    if let Err(failure) = &verified {
        say(failure);
    }
    say(format!("estore verify took {} s", began.elapsed().as_secs()));
    Figure::exact("promises broken (estore verify)", "", u64::from(verified.is_err()), 0)
}
