//! `load table`: every figure about speed that EStore must reach, each against a baseline of the same run.

mod parts;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::measure::{disk_flush_micros, quiet_shop};
use super::pgbench::{self, Baseline};
use super::plot::{self, Line};
use super::search;
use super::stage::{self, Stage};
use crate::failure::Failure;
use crate::report::{self, Figure};
use crate::shop::{Shop, ShopArgs};

/// Products of the shop.
const PRODUCTS: usize = 10_000;
/// Buyers, who take turns at the connections.
const BUYERS: usize = 64;
/// The shares drawn as latencies, in hundredths of a percent.
pub(super) const SHARES: [(u32, &str); 8] = [
    (5_000, "50 %"),
    (7_500, "75 %"),
    (9_000, "90 %"),
    (9_500, "95 %"),
    (9_900, "99 %"),
    (9_990, "99.9 %"),
    (9_999, "99.99 %"),
    (10_000, "all"),
];

/// How much to measure.
#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// A short form.
    #[arg(long)]
    quick: bool,
    /// The "Online Retail" file, gzipped or plain, whose products are searched; without it, names are made up.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Write plots (SVG) into this folder.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Seconds of each stretch.
#[derive(Debug, Clone, Copy)]
struct Times {
    baseline: u64,
    warm_up: u64,
    load: u64,
}

const FULL: Times = Times { baseline: 10, warm_up: 3, load: 12 };
const QUICK: Times = Times { baseline: 2, warm_up: 1, load: 3 };

struct Table {
    shop: Shop,
    stage: Stage,
    times: Times,
    baseline: Baseline,
    figures: Vec<Figure>,
    /// Orders a second at the two sizes of a crowd.
    uniform: u64,
    most: u64,
    bars: Vec<(String, u64, u64)>,
    by_second: Vec<Line>,
    latencies: Option<Line>,
}

/// Measures; whether every figure is reached.
pub(crate) async fn run(args: TableArgs) -> Result<bool, Failure> {
    let times = if args.quick { QUICK } else { FULL };
    let mut table = prepare(&args, times).await?;
    let ended = table.orders().await;
    table.or_missing("order_uniform", ended);
    let ended = table.half_load().await;
    table.or_missing("order_p99_half_load", ended);
    let ended = table.checkouts().await;
    table.or_missing("checkout_10_lines", ended);
    let ended = table.reads().await;
    table.or_missing("product_get", ended);
    let ended = table.overload().await;
    table.or_missing("overload_kept", ended);
    let ended = table.close().await;
    table.or_missing("stop", ended);
    let ended = table.three_processes().await;
    table.or_missing("order_three_processes", ended);
    // To fill in a hundred thousand products takes longer than all the rest of the short form.
    if !args.quick {
        let ended = Box::pin(search::of_table(&args.shop, args.data.as_deref(), times.load)).await;
        let ended = ended.map(|figures| table.figures.extend(figures));
        table.or_missing("search_p99", ended);
    }
    table.shop.stop().await?;
    if let Some(folder) = &args.plots {
        table.draw(folder)?;
    }
    report::print(&table.figures, args.json)
}

/// Fills a fresh shop, measures the order baseline on copies of its databases, and starts it again.
async fn prepare(args: &TableArgs, times: Times) -> Result<Table, Failure> {
    let mut shop = quiet_shop(&args.shop)?;
    shop.start().await?;
    let stage = stage::set(&shop, PRODUCTS, BUYERS).await?;
    shop.stop().await?;
    shop.start_databases().await?;
    let baseline = pgbench::measure(&shop, times.baseline).await?;
    shop.stop().await?;
    shop.start().await?;
    let figures = vec![
        Figure::told("disk_flush", "µs", disk_flush_micros(&shop)?),
        Figure::told("pgbench_hold", "per second", baseline.hold),
        Figure::told("pgbench_hold_hot", "per second", baseline.hold_hot),
        Figure::told("pgbench_order", "per second", baseline.order),
        Figure::told("pgbench_settle", "per second", baseline.settle),
    ];
    let (uniform, most, bars, by_second) = (0, 0, Vec::new(), Vec::new());
    Ok(Table { shop, stage, times, baseline, figures, uniform, most, bars, by_second, latencies: None })
}

impl Table {
    fn draw(&self, folder: &Path) -> Result<(), Failure> {
        fs::create_dir_all(folder)?;
        let bars = plot::bars("Paid orders a second", ["pgbench, one order at a time", "EStore"], &self.bars);
        fs::write(folder.join("orders.svg"), bars)?;
        let seconds: Vec<(u64, String)> = (0..=60).step_by(2).map(|second| (second, format!("{second} s"))).collect();
        let by_second = plot::lines("Paid orders in each second", &self.by_second, &seconds);
        fs::write(folder.join("orders-by-second.svg"), by_second)?;
        if let Some(latencies) = &self.latencies {
            let ticks: Vec<(u64, String)> = (0..).zip(SHARES.map(|(_, label)| label.to_owned())).collect();
            let title = "Latency of an order at half of the maximum rate, from its intended start, in µs";
            fs::write(folder.join("latency.svg"), plot::lines(title, std::slice::from_ref(latencies), &ticks))?;
        }
        Ok(())
    }
}
