//! `load table`: every figure about speed that EStore must reach, each against a baseline of the same run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::buying::{self, Basket};
use super::large::{self, Size};
use super::measure::{Measured, address, measure, quiet_shop, resident_kib, verify};
use super::pgbench::{self, Baseline};
use super::plot::{self, Line};
use super::reading::{self, Page};
use super::run::{self, Pace};
use super::stage::{self, Stage};
use crate::database::connect;
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs};

/// Products of the shop, but for the large one.
const PRODUCTS: usize = 10_000;
/// Buyers, who take turns at the connections.
const BUYERS: usize = 64;
/// The two sizes of a crowd.
const CONNECTIONS: usize = 64;
const MANY_CONNECTIONS: usize = 256;
/// Enough for everything that an overloaded shop lets wait, so that more can always be offered.
const OVERLOAD_CONNECTIONS: usize = 8_000;
/// The longest p99 at half of the maximum, in microseconds.
const HALF_LOAD_MICROS_MAX: u64 = 25_000;
/// How soon an overloaded shop turns orders away, at the latest, in microseconds.
const REFUSAL_MICROS_MAX: u64 = 50_000;
/// Resident memory after the orders, at most, in MiB.
const MEMORY_MIB_MAX: u64 = 150;
/// Lines of a long checkout.
const LINES: usize = 10;
/// The shares drawn as latencies, in hundredths of a percent.
const SHARES: [(u32, &str); 8] = [
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
    /// A short form, without the large shop.
    #[arg(long)]
    quick: bool,
    /// Products of the large shop.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10_000..=5_000_000))]
    large_products: u32,
    /// Past orders of the large shop.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(0..=100_000_000))]
    large_orders: u32,
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
const QUICK: Times = Times { baseline: 3, warm_up: 1, load: 4 };

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
    table.orders().await?;
    table.half_load().await?;
    table.checkouts().await?;
    table.reads().await?;
    table.overload().await;
    let kept = verify(&table.shop).await;
    table.figures.push(kept);
    table.shop.stop().await?;
    table.three_processes().await;
    if !args.quick {
        table.large(Size { products: args.large_products, orders: args.large_orders }).await;
    }
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
        Figure::told("pgbench_hold", "per second", baseline.hold),
        Figure::told("pgbench_hold_hot", "per second", baseline.hold_hot),
        Figure::told("pgbench_order", "per second", baseline.order),
        Figure::told("pgbench_settle", "per second", baseline.settle),
    ];
    let (uniform, most, bars, by_second) = (0, 0, Vec::new(), Vec::new());
    Ok(Table { shop, stage, times, baseline, figures, uniform, most, bars, by_second, latencies: None })
}

impl Table {
    /// Orders at full speed, after a warm-up of the same.
    async fn full_speed(&self, basket: Basket, connections: usize) -> Result<Measured, Failure> {
        say(format!("{connections} connections, {} lines each{}", basket.lines, if basket.hot { ", hot" } else { "" }));
        let askings = buying::buyers(&self.stage, basket, connections);
        let pace = |seconds| Pace { time: Duration::from_secs(seconds), rate: None };
        let (_, askings) = run::run(address(&self.shop)?, askings, pace(self.times.warm_up)).await?;
        measure(&self.shop, askings, pace(self.times.load)).await
    }

    async fn orders(&mut self) -> Result<(), Failure> {
        let any = Basket { hot: false, lines: 1, may_refuse: false };
        let (uniform, hot) = (self.baseline.uniform(), self.baseline.hot());
        let measured = self.full_speed(any, CONNECTIONS).await?;
        self.uniform = measured.tally.per_second();
        self.note("order_uniform", &measured, uniform, 2.0);
        let measured = self.full_speed(any, MANY_CONNECTIONS).await?;
        self.most = self.uniform.max(measured.tally.per_second());
        self.note("order_uniform_256", &measured, uniform, 3.0);
        let measured = self.full_speed(Basket { hot: true, ..any }, CONNECTIONS).await?;
        let rate = measured.tally.per_second();
        self.note("order_hot", &measured, hot, 6.0);
        self.figures.push(Figure::share("order_hot_to_uniform", "orders/s", rate, self.uniform, 0.9));
        let memory = resident_kib(&self.shop)?.div_ceil(1024);
        self.figures.push(Figure::at_most("memory_after_orders", "MiB", memory, MEMORY_MIB_MAX));
        Ok(())
    }

    /// The figure itself, and what is told beside it.
    fn note(&mut self, name: &str, measured: &Measured, baseline: u64, at_least: f64) {
        let Measured { tally, used } = measured;
        let rate = tally.per_second();
        self.figures.push(Figure::share(name, "orders/s", rate, baseline, at_least));
        for (what, hundredths) in [("p50", 5_000), ("p99", 9_900), ("max", 10_000)] {
            let time = report::millis(tally.latency_within(hundredths));
            self.figures.push(Figure::told(format!("{name}_{what}"), "ms", time));
        }
        for (what, time) in [("estore", used.estore_ms), ("postgres", used.postgres_ms), ("load", used.own_ms)] {
            let each = time * 1000 / tally.done.max(1);
            self.figures.push(Figure::told(format!("{name}_cpu_{what}"), "µs an order", each));
        }
        self.bars.push((name.to_owned(), baseline, rate));
        let points = (0..).zip(tally.by_second.iter().copied()).take(usize::try_from(self.times.load).unwrap_or(0));
        self.by_second.push(Line { name: name.to_owned(), points: points.collect() });
    }

    async fn half_load(&mut self) -> Result<(), Failure> {
        let rate = Some(self.most / 2);
        say(format!("{} orders a second are due, half of the maximum", self.most / 2));
        let basket = Basket { hot: false, lines: 1, may_refuse: false };
        let askings = buying::buyers(&self.stage, basket, MANY_CONNECTIONS);
        let pace = |seconds| Pace { time: Duration::from_secs(seconds), rate };
        let (_, askings) = run::run(address(&self.shop)?, askings, pace(self.times.warm_up)).await?;
        let Measured { tally, .. } = measure(&self.shop, askings, pace(self.times.load)).await?;
        let p99 = tally.latency_within(9_900);
        self.figures.push(Figure::time_at_most("order_p99_half_load", p99, HALF_LOAD_MICROS_MAX));
        let places = (0..).zip(SHARES.map(|(hundredths, _)| tally.latency_within(hundredths)));
        self.latencies = Some(Line { name: format!("{} orders/s", self.most / 2), points: places.collect() });
        Ok(())
    }

    async fn checkouts(&mut self) -> Result<(), Failure> {
        let basket = Basket { hot: false, lines: LINES, may_refuse: false };
        let rate = self.full_speed(basket, CONNECTIONS).await?.tally.per_second() * LINES as u64;
        self.figures.push(Figure::share("checkout_10_lines", "lines/s", rate, self.uniform, 3.0));
        Ok(())
    }

    async fn reads(&mut self) -> Result<(), Failure> {
        let inventory = connect(&self.shop, "inventory").await?;
        let rows = inventory.query("SELECT id::bigint FROM categories ORDER BY id", &[]).await?;
        let categories: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let products = self.stage.wares.iter().map(|ware| Page::product(ware.id)).collect();
        let lists = categories.into_iter().map(Page::category).collect();
        let time = Duration::from_secs(self.times.load);
        for (name, pages, at_least) in [("product_get", products, 0.8), ("product_list", lists, 0.6)] {
            say(format!("{name} against a bare server"));
            let address = address(&self.shop)?;
            let rates = reading::measure(&self.shop, address, pages, CONNECTIONS, time).await?;
            self.figures.push(Figure::share(name, "answers/s", rates.shop, rates.bare, at_least));
        }
        Ok(())
    }

    /// Three times what the shop can do.
    async fn overload(&mut self) {
        say(format!("{} orders a second are due, three times the maximum", self.most * 3));
        let basket = Basket { hot: false, lines: 1, may_refuse: true };
        let askings = buying::buyers(&self.stage, basket, OVERLOAD_CONNECTIONS);
        let pace = Pace { time: Duration::from_secs(self.times.load), rate: Some(self.most * 3) };
        let measured = match measure(&self.shop, askings, pace).await {
            Ok(measured) => measured,
            Err(failure) => return self.figures.push(Figure::missing("overload_kept", failure)),
        };
        let tally = measured.tally;
        self.figures.push(Figure::share("overload_kept", "orders/s", tally.per_second(), self.most, 0.9));
        self.figures.push(Figure::told("overload_refused", "orders", tally.refused));
        let p99 = tally.refusal_within(9_900);
        self.figures.push(Figure::time_at_most("overload_refusal_p99", p99, REFUSAL_MICROS_MAX));
    }

    async fn three_processes(&mut self) {
        say("three processes");
        let measured = async {
            self.shop.start_three().await?;
            let basket = Basket { hot: false, lines: 1, may_refuse: false };
            self.full_speed(basket, CONNECTIONS).await
        };
        match measured.await {
            Ok(measured) => {
                let rate = measured.tally.per_second();
                self.figures.push(Figure::share("order_three_processes", "orders/s", rate, self.uniform, 0.6));
            }
            Err(failure) => self.figures.push(Figure::missing("order_three_processes", failure)),
        }
        let kept = verify(&self.shop).await;
        self.figures.push(kept);
        if let Err(failure) = self.shop.stop().await {
            self.figures.push(Figure::missing("order_three_processes_stop", failure));
        }
    }

    async fn large(&mut self, size: Size) {
        let measured = async {
            self.shop.start_databases().await?;
            let took = large::fill(&self.shop, size).await?;
            self.stage.wares = large::wares(&self.shop).await?;
            self.shop.stop().await?;
            self.shop.start().await?;
            let basket = Basket { hot: false, lines: 1, may_refuse: false };
            let measured = self.full_speed(basket, CONNECTIONS).await?;
            Ok::<_, Failure>((took, measured.tally.per_second()))
        };
        match measured.await {
            Ok((took, rate)) => {
                self.figures.push(Figure::told("order_large_data_fill", "s", took.as_secs()));
                self.figures.push(Figure::told("order_large_data_products", "products", size.products));
                self.figures.push(Figure::told("order_large_data_orders", "orders", size.orders));
                self.figures.push(Figure::share("order_large_data", "orders/s", rate, self.uniform, 0.8));
            }
            Err(failure) => self.figures.push(Figure::missing("order_large_data", failure)),
        }
    }

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
