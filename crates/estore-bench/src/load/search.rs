//! `load search`: searches of a large catalogue beside orders and edits, and how long the slowest of a hundred takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use super::buying::{self, Basket, Dice};
use super::editing::Editing;
use super::measure::{Measured, address, quiet_shop, resident_kib};
use super::processor::Used;
use super::run::{self, Pace};
use super::searching::{Search, searchers, searches};
use super::stage::{self, Stage};
use crate::accounts::Accounts;
use crate::api::{Api, Call};
use crate::customers::administrator;
use crate::database::connect;
use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::retail;
use crate::shop::{Shop, ShopArgs};

/// Products that are searched, at least.
const PRODUCTS: usize = 100_000;
/// Products that are ordered and edited.
const WARES: usize = 1_000;
const CONNECTIONS: usize = 16;
/// Different searches.
const SEARCHES: usize = 2_000;
/// The longest p99 of a search, in microseconds.
const P99_MICROS_MAX: u64 = 5_000;
/// Searches that are due each second where the shop is not to be filled to the brim.
const SEARCHES_DUE: u64 = 1_000;
/// Searches one after the other that must be quick before the load begins, how quick, and how long that is waited for.
const QUICK_SEARCHES: u32 = 50;
const QUICK: Duration = Duration::from_millis(3);
const QUICK_WAIT_MAX: Duration = Duration::from_secs(30);

/// How to search.
#[derive(Debug, Clone, Args)]
pub(crate) struct SearchArgs {
    /// The "Online Retail" file, gzipped or plain, whose products are taken; without it, names are made up.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// How long, in seconds, after a warm-up.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Orders a second that are due beside the searches.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    orders: u64,
    /// Edits a second that are due beside them.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    edits: u64,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Measures; whether searches are fast enough.
pub(crate) async fn run(args: SearchArgs) -> Result<bool, Failure> {
    report::print(&figures(&args).await?, args.json)
}

/// The same for the table: of a short or a long stretch.
pub(crate) async fn of_table(shop: &ShopArgs, data: Option<&Path>, seconds: u64) -> Result<Vec<Figure>, Failure> {
    let (data, shop) = (data.map(Path::to_owned), ShopArgs { data_dir: None, ..shop.clone() });
    figures(&SearchArgs { data, seconds, orders: 200, edits: 20, json: false, shop }).await
}

async fn figures(args: &SearchArgs) -> Result<Vec<Figure>, Failure> {
    let mut shop = quiet_shop(&args.shop)?;
    shop.start().await?;
    let stage = stage::set(&shop, WARES, CONNECTIONS).await?;
    let api = Arc::new(Api::new(shop.url())?);
    let admin = administrator(&shop, &api).await?;
    let token = Accounts::new(api.clone(), vec![admin]).token(0).await?;
    let names = names(args.data.as_deref())?;
    say(format!("bringing in {PRODUCTS} products"));
    api.post_csv("/v1/products/import", &token, csv(&names)?).await?;
    let words: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    let load = Load {
        orders: args.orders,
        edits: args.edits,
        searches: searches(&words, SEARCHES).into(),
        edited: imported(&shop).await?,
        token,
        stage,
    };
    wait_until_quick(&api).await?;
    let idle_kib = resident_kib(&shop)?;
    load.run(&shop, None, (args.seconds / 3).max(1)).await?;
    say(format!("{CONNECTIONS} connections search, {} orders and {} edits a second are due", args.orders, args.edits));
    let (Measured { tally, used }, lost) = load.run(&shop, None, args.seconds).await?;
    say(format!("{SEARCHES_DUE} searches a second are due beside the same"));
    let (Measured { tally: at_a_rate, .. }, _) = load.run(&shop, Some(SEARCHES_DUE), args.seconds).await?;
    let mut figures = vec![
        Figure::time_at_most("search_p99", tally.latency_within(9_900), P99_MICROS_MAX),
        Figure::told("search_p50", "ms", report::millis(tally.latency_within(5_000))),
        Figure::told("search_p99.9", "ms", report::millis(tally.latency_within(9_990))),
        Figure::told(format!("search_p99_at_{SEARCHES_DUE}"), "ms", report::millis(at_a_rate.latency_within(9_900))),
        Figure::told("search_rate", "searches/s", tally.per_second()),
        Figure::told("search_misspelt_lost", "in a thousand", lost),
        Figure::told("search_memory_before", "MiB", idle_kib.div_ceil(1024)),
        Figure::told("search_memory_after", "MiB", resident_kib(&shop)?.div_ceil(1024)),
    ];
    for (what, time) in [("estore", used.estore_ms), ("postgres", used.postgres_ms), ("load", used.own_ms)] {
        let each = time * 1000 / tally.done.max(1);
        figures.push(Figure::told(format!("search_cpu_{what}"), "µs a search", each));
    }
    shop.stop().await?;
    Ok(figures)
}

struct Load {
    orders: u64,
    edits: u64,
    searches: Arc<[Search]>,
    edited: Arc<[i64]>,
    token: Arc<str>,
    stage: Stage,
}

impl Load {
    /// Searches at a rate or at full speed, beside orders and edits at their rates; of a thousand misspelt ones, how many
    /// found nothing.
    async fn run(&self, shop: &Shop, rate: Option<u64>, seconds: u64) -> Result<(Measured, u64), Failure> {
        let time = Duration::from_secs(seconds);
        let at = |rate| Pace { time, rate: Some(rate) };
        let basket = Basket { hot: false, lines: 1, may_refuse: false };
        let buyers = buying::buyers(&self.stage, basket, CONNECTIONS);
        let editor = Editing::new(self.token.clone(), self.edited.clone());
        let searchers = searchers(&self.searches, CONNECTIONS);
        let before = Used::now(shop)?;
        let (orders, edits, search) = tokio::join!(
            run::run(address(shop)?, buyers, at(self.orders)),
            run::run(address(shop)?, vec![editor], at(self.edits)),
            run::run(address(shop)?, searchers, Pace { time, rate }),
        );
        let used = Used::now(shop)?.since(before);
        orders?;
        edits?;
        let (tally, searchers) = search?;
        let misspelt: u64 = searchers.iter().map(|one| one.misspelt).sum();
        let lost: u64 = searchers.iter().map(|one| one.lost).sum();
        Ok((Measured { tally, used }, lost * 1000 / misspelt.max(1)))
    }
}

/// The products that are not ordered.
async fn imported(shop: &Shop) -> Result<Arc<[i64]>, Failure> {
    let inventory = connect(shop, "inventory").await?;
    let sql =
        "SELECT id::bigint FROM products WHERE category_id IN (SELECT id FROM categories WHERE name LIKE 'Kind %')";
    let rows = inventory.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?.into())
}

/// Right after its products came, a shop may still be at work on them.
async fn wait_until_quick(api: &Api) -> Result<(), Failure> {
    let (began, mut quick) = (Instant::now(), 0);
    while quick < QUICK_SEARCHES && began.elapsed() < QUICK_WAIT_MAX {
        let asked = Instant::now();
        api.ask(Call::get("/v1/products?q=heart&facets=category")).await?;
        quick = if asked.elapsed() < QUICK { quick + 1 } else { 0 };
    }
    Ok(())
}

/// The names of products and the category of each.
fn names(data: Option<&Path>) -> Result<Vec<(String, String)>, Failure> {
    let Some(data) = data else { return Ok(made_up()) };
    let products = retail::read(data, None)?.products;
    // The first two digits of a stock code are a kind of goods.
    let named = |product: &retail::Product| {
        (product.name.clone(), format!("Kind {}", product.stock_code.chars().take(2).collect::<String>()))
    };
    Ok(products.iter().map(named).collect())
}

/// As many different names as the file has.
fn made_up() -> Vec<(String, String)> {
    let mut dice = Dice(11);
    let mut name = || {
        let mut word = |words: &[&str]| words[dice.below(words.len())].to_owned();
        let (thing, mark, other) = (word(&THINGS), word(&MARKS), word(&MARKS));
        (format!("{mark} {other} {} {thing}", word(&SHAPES)), format!("Kind {thing}"))
    };
    (0..15_000).map(|_| name()).collect()
}

const THINGS: [&str; 20] = [
    "lamp", "kettle", "holder", "basket", "cushion", "bottle", "candle", "garland", "ornament", "lantern", "tray",
    "parasol", "clock", "mirror", "drawer", "bunting", "heart", "doorstop", "notebook", "umbrella",
];
const MARKS: [&str; 20] = [
    "white",
    "vintage",
    "retrospot",
    "wooden",
    "hanging",
    "glass",
    "enamel",
    "ceramic",
    "folding",
    "silver",
    "painted",
    "striped",
    "christmas",
    "garden",
    "kitchen",
    "travel",
    "jumbo",
    "antique",
    "paper",
    "cotton",
];
const SHAPES: [&str; 10] = ["round", "square", "small", "large", "tall", "double", "oval", "curved", "slim", "heavy"];

/// So many products as a file: the names in turn, each round with article numbers of its own.
fn csv(names: &[(String, String)]) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["sku", "name", "description", "price", "quantity", "category"])?;
    for (number, (name, category)) in names.iter().cycle().take(PRODUCTS).enumerate() {
        let cents = 100 + number % 5_000;
        let price = format!("{}.{:02}", cents / 100, cents % 100);
        let (sku, description) = (format!("SEARCH-{number}"), format!("{name} (article {number})"));
        writer.write_record([&sku, name, &description, &price, "7", category])?;
    }
    writer.into_inner().map_err(|error| Failure::new(error.to_string()))
}
