//! How long from nothing to the first answered request, how long with the data there, and how much memory when idle.

use std::time::{Duration, Instant};

use clap::Args;
use reqwest::StatusCode;

use crate::api::{Api, Call};
use crate::database::connect;
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs, resident_bytes};

/// From nothing to the first answered request, at most, in milliseconds.
const FROM_NOTHING_MS_MAX: u64 = 5_000;
/// With the data directory there, at most, in milliseconds.
const WITH_DATA_MS_MAX: u64 = 1_000;
/// Resident memory when idle, at most, in KiB.
const IDLE_KIB_MAX: u64 = 64 * 1024;
/// How long it is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// How to measure.
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// How often it is started with the data there; the middle of the times counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Measures; whether every figure is within its limit.
pub(crate) async fn run(args: StartArgs) -> Result<bool, Failure> {
    if args.shop.data_dir.as_ref().is_some_and(|dir| dir.exists()) {
        return Err(Failure::new("--data-dir must not exist yet: the first start is measured from nothing"));
    }
    let mut shop = Shop::new(&args.shop)?;
    say("from nothing");
    let from_nothing = first_answer(&mut shop).await?;
    let version = connect(&shop, "users").await?.query_one("SHOW server_version", &[]).await?;
    let version: String = version.try_get(0)?;
    tokio::time::sleep(IDLE).await;
    let pid = shop.pid().ok_or_else(|| Failure::new("estore is gone"))?;
    let idle_kib = resident_bytes(pid)? / 1024;
    shop.stop().await?;
    let mut times = Vec::new();
    for round in 0..args.rounds {
        say(format!("with the data there, {} of {}", round + 1, args.rounds));
        times.push(first_answer(&mut shop).await?);
        shop.stop().await?;
    }
    times.sort_unstable();
    let with_data = times[times.len() / 2];
    let figures = [
        Figure::told("PostgreSQL", "version", version),
        Figure::at_most("from nothing to the first answered request", "ms", from_nothing, FROM_NOTHING_MS_MAX),
        Figure::at_most("start with the data directory there", "ms", with_data, WITH_DATA_MS_MAX),
        Figure::at_most("resident memory of estore when idle", "KiB", idle_kib, IDLE_KIB_MAX),
    ];
    report::print(&figures, args.json)
}

/// Starts the shop and asks for its products; milliseconds until they were answered.
async fn first_answer(shop: &mut Shop) -> Result<u64, Failure> {
    let api = Api::new(shop.url())?;
    let began = Instant::now();
    shop.start().await?;
    api.ask(Call::get("/v1/products")).await?.expect(StatusCode::OK, "GET /v1/products")?;
    Ok(u64::try_from(began.elapsed().as_millis())?)
}
