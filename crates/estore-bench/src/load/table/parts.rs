//! The parts of the table, in the order they are measured.

use std::time::Duration;

use super::{SHARES, Table};
use crate::database::connect;
use crate::failure::Failure;
use crate::load::buying::{self, Basket};
use crate::load::measure::{Measured, address, measure, resident_kib, verify};
use crate::load::plot::Line;
use crate::load::reading::{self, Page};
use crate::load::run::{self, Pace};
use crate::report::{self, Figure, say};

/// One line, of any product.
const SINGLE: Basket = Basket { hot: false, lines: 1, may_refuse: false };
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

impl Table {
    /// Orders at full speed, after a warm-up of the same.
    async fn full_speed(&self, basket: Basket, connections: usize) -> Result<Measured, Failure> {
        say(format!("{connections} connections, {} lines each{}", basket.lines, if basket.hot { ", hot" } else { "" }));
        let askings = buying::buyers(&self.stage, basket, connections);
        let pace = |seconds| Pace { time: Duration::from_secs(seconds), rate: None };
        let (_, askings) = run::run(address(&self.shop)?, askings, pace(self.times.warm_up)).await?;
        measure(&self.shop, askings, pace(self.times.load)).await
    }

    pub(super) async fn orders(&mut self) -> Result<(), Failure> {
        let (uniform, hot) = (self.baseline.uniform(), self.baseline.hot());
        let measured = self.full_speed(SINGLE, CONNECTIONS).await?;
        self.uniform = measured.tally.per_second();
        self.note("order_uniform", &measured, uniform, 2.0);
        let measured = self.full_speed(SINGLE, MANY_CONNECTIONS).await?;
        self.most = self.uniform.max(measured.tally.per_second());
        self.note("order_uniform_256", &measured, uniform, 3.0);
        let measured = self.full_speed(Basket { hot: true, ..SINGLE }, CONNECTIONS).await?;
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

    pub(super) async fn half_load(&mut self) -> Result<(), Failure> {
        let rate = Some(self.most / 2);
        say(format!("{} orders a second are due, half of the maximum", self.most / 2));
        let askings = buying::buyers(&self.stage, SINGLE, MANY_CONNECTIONS);
        let pace = |seconds| Pace { time: Duration::from_secs(seconds), rate };
        let (_, askings) = run::run(address(&self.shop)?, askings, pace(self.times.warm_up)).await?;
        let Measured { tally, .. } = measure(&self.shop, askings, pace(self.times.load)).await?;
        let p99 = tally.latency_within(9_900);
        self.figures.push(Figure::time_at_most("order_p99_half_load", p99, HALF_LOAD_MICROS_MAX));
        let places = (0..).zip(SHARES.map(|(hundredths, _)| tally.latency_within(hundredths)));
        self.latencies = Some(Line { name: format!("{} orders/s", self.most / 2), points: places.collect() });
        Ok(())
    }

    pub(super) async fn checkouts(&mut self) -> Result<(), Failure> {
        let basket = Basket { hot: false, lines: LINES, may_refuse: false };
        let rate = self.full_speed(basket, CONNECTIONS).await?.tally.per_second() * LINES as u64;
        self.figures.push(Figure::share("checkout_10_lines", "lines/s", rate, self.uniform, 3.0));
        Ok(())
    }

    pub(super) async fn reads(&mut self) -> Result<(), Failure> {
        let inventory = connect(&self.shop, "inventory").await?;
        let rows = inventory.query("SELECT id::bigint FROM categories ORDER BY id", &[]).await?;
        let categories: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let products = self.stage.wares.iter().map(|ware| Page::product(ware.id)).collect();
        let lists = categories.into_iter().map(Page::category).collect();
        let time = Duration::from_secs(self.times.baseline);
        for (name, pages, at_least) in [("product_get", products, 0.8), ("product_list", lists, 0.6)] {
            say(format!("{name} against a bare server"));
            let address = address(&self.shop)?;
            let rates = reading::measure(&self.shop, address, pages, CONNECTIONS, time).await?;
            self.figures.push(Figure::share(name, "answers/s", rates.shop, rates.bare, at_least));
        }
        Ok(())
    }

    /// Three times what the shop can do.
    pub(super) async fn overload(&mut self) -> Result<(), Failure> {
        say(format!("{} orders a second are due, three times the maximum", self.most * 3));
        let askings = buying::buyers(&self.stage, Basket { may_refuse: true, ..SINGLE }, OVERLOAD_CONNECTIONS);
        let pace = Pace { time: Duration::from_secs(self.times.load), rate: Some(self.most * 3) };
        let Measured { tally, .. } = measure(&self.shop, askings, pace).await?;
        self.figures.push(Figure::share("overload_kept", "orders/s", tally.per_second(), self.most, 0.9));
        self.figures.push(Figure::told("overload_refused", "orders", tally.refused));
        let served = report::millis(tally.latency_within(9_900));
        self.figures.push(Figure::told("overload_served_p99", "ms", served));
        self.figures.push(match tally.refused {
            0 => Figure::missing("overload_refusal_p99", "none was turned away"),
            _ => Figure::time_at_most("overload_refusal_p99", tally.refusal_within(9_900), REFUSAL_MICROS_MAX),
        });
        Ok(())
    }

    /// Every promise must be kept; then the shop stops.
    pub(super) async fn close(&mut self) -> Result<(), Failure> {
        let kept = verify(&self.shop).await;
        self.figures.push(kept);
        self.shop.stop().await
    }

    pub(super) async fn three_processes(&mut self) -> Result<(), Failure> {
        say("three processes");
        self.shop.start_three().await?;
        let rate = self.full_speed(SINGLE, CONNECTIONS).await?.tally.per_second();
        self.figures.push(Figure::share("order_three_processes", "orders/s", rate, self.uniform, 0.6));
        self.close().await
    }

    /// A part that failed is a figure that was not reached; the other parts go on.
    pub(super) fn or_missing(&mut self, name: &str, ended: Result<(), Failure>) {
        if let Err(failure) = ended {
            say(format!("{name}: {failure}"));
            self.figures.push(Figure::missing(name, failure));
        }
    }
}
