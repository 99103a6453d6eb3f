//! A measured stretch of a load, and what is read around it.

use std::fs::OpenOptions;
use std::io::{Seek, Write};
use std::net::SocketAddr;
use std::time::Instant;

use super::processor::Used;
use super::run::{self, Asking, Pace};
use super::tally::Tally;
use crate::failure::Failure;
use crate::report::{Figure, say};
use crate::shop::{Shop, ShopArgs, resident_bytes};

/// How often a page is written to learn how long that takes.
const FLUSHES: u32 = 200;

/// What a measured stretch of a load came to.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) tally: Tally,
    pub(crate) used: Used,
}

/// A shop of our own that sends no letters: a mail for each order would measure the mailer. Tokens outlive the run.
pub(crate) fn quiet_shop(args: &ShopArgs) -> Result<Shop, Failure> {
    let mut shop = Shop::new(args)?;
    shop.set("ESTORE_PAYMENTS__ORDER_MAILS", "false");
    shop.set("ESTORE_USERS__ACCESS_TOKEN_SECONDS", "7200");
    Ok(shop)
}

pub(crate) fn address(shop: &Shop) -> Result<SocketAddr, Failure> {
    Ok(shop.url().trim_start_matches("http://").parse()?)
}

/// How long the disk takes to write 8 KiB for good, in microseconds on average: no commit is quicker.
pub(crate) fn disk_flush_micros(shop: &Shop) -> Result<u64, Failure> {
    let page = [0; 8 * 1024];
    let path = shop.write_file("flushed", &page)?;
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.sync_all()?;
    let began = Instant::now();
    for _ in 0..FLUSHES {
        file.rewind()?;
        file.write_all(&page)?;
        file.sync_data()?;
    }
    Ok(u64::try_from((began.elapsed() / FLUSHES).as_micros())?)
}

/// Runs a load and reads the processor time around it.
pub(crate) async fn measure<A: Asking + 'static>(
    shop: &Shop,
    askings: Vec<A>,
    pace: Pace,
) -> Result<Measured, Failure> {
    let before = Used::now(shop)?;
    let (tally, _) = run::run(address(shop)?, askings, pace).await?;
    Ok(Measured { tally, used: Used::now(shop)?.since(before) })
}

/// The figures of a stretch.
pub(crate) fn told(Measured { tally, used }: &Measured) -> Vec<Figure> {
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

pub(crate) fn resident_kib(shop: &Shop) -> Result<u64, Failure> {
    let mut bytes = 0;
    for pid in shop.pids() {
        bytes += resident_bytes(pid)?;
    }
    Ok(bytes / 1024)
}

/// Runs `estore verify`; a broken promise is a figure that is not good.
pub(crate) async fn verify(shop: &Shop) -> Figure {
    let began = Instant::now();
    let verified = shop.run(&["verify", "--json"], None).await;
    if let Err(failure) = &verified {
        say(failure);
    }
    say(format!("estore verify took {} s", began.elapsed().as_secs()));
    Figure::exact("promises broken (estore verify)", "", u64::from(verified.is_err()), 0)
}
