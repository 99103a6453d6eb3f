//! The replay: from an empty shop to a year's sales, and every figure compared.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::{Mutex, watch};

use crate::accounts::{Accounts, Credentials};
use crate::api::Api;
use crate::counts::{self, Counted};
use crate::facts::{self, Facts, PUBLISHED};
use crate::failure::Failure;
use crate::killer::{self, Plan};
use crate::orders::{Buying, Pass, place_all};
use crate::report::{self, Figure, per_second, say};
use crate::retail::{self, Year};
use crate::shop::{Shop, ShopArgs};
use crate::{catalogue, customers};

/// What to replay, and how.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The "Online Retail" file, gzipped or plain.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Only the first N invoices that have a line that counts.
    #[arg(long, value_name = "N")]
    invoices: Option<usize>,
    /// How many checkouts are under way at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// Send everything a second time with the same keys: nothing may be sold twice.
    #[arg(long)]
    again: bool,
    /// Kill estore (SIGKILL) when this part of the checkouts is finished, and start it again; repeatable.
    #[arg(long, value_name = "FRACTION", value_parser = fraction, conflicts_with = "url")]
    kill_at: Vec<f64>,
    /// Kill estore again and again after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "url")]
    kill_every: Option<u64>,
    /// A shop that runs already and is empty, instead of one of our own; --data-dir or --config must lead to its data.
    #[arg(long, requires = "admin_email")]
    url: Option<String>,
    /// An administrator of the shop at --url.
    #[arg(long, value_name = "EMAIL", requires = "url")]
    admin_email: Option<String>,
    /// The administrator's password.
    #[arg(long, env = "ESTORE_BENCH_ADMIN_PASSWORD", hide_env_values = true, default_value = "")]
    admin_password: String,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

fn fraction(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|part| (0.0..=1.0).contains(part)).ok_or_else(|| "must be from 0 to 1".to_owned())
}

/// Everything is ready to order.
struct Prepared {
    shop: Arc<Mutex<Shop>>,
    buying: Arc<Buying>,
    admin: usize,
    figures: Vec<Figure>,
}

/// Runs the replay; whether every figure agrees.
pub(crate) async fn run(args: ReplayArgs) -> Result<bool, Failure> {
    let expected = facts::count(&args.data, args.invoices)?;
    if args.invoices.is_none() && expected != PUBLISHED {
        return Err(Failure::new(format!("{} does not hold the published year", args.data.display())));
    }
    let year = retail::read(&args.data, args.invoices)?;
    let mut prepared = prepare(&args, year).await?;
    let first = first_pass(&args, &mut prepared, &expected).await?;
    let stock_left = compare(&mut prepared, &first, &expected).await?;
    if args.again {
        second_pass(&args, &mut prepared, &first, &expected, stock_left).await?;
    }
    let mut shop = prepared.shop.lock().await;
    say("checking every promise (estore verify)");
    let began = Instant::now();
    let verified = shop.run(&["verify", "--json"], None).await;
    prepared.figures.push(Figure::told("estore verify", "s", began.elapsed().as_secs()));
    if let Err(failure) = &verified {
        say(failure);
    }
    prepared.figures.push(Figure::exact("promises broken (estore verify)", "", u64::from(verified.is_err()), 0));
    shop.stop().await?;
    report::print(&prepared.figures, args.json)
}

/// Starts the shop and brings accounts and catalogue in.
async fn prepare(args: &ReplayArgs, year: Year) -> Result<Prepared, Failure> {
    let mut figures = Vec::new();
    let shop = match &args.url {
        Some(url) => Shop::at(&args.shop, url.clone())?,
        None => {
            let mut shop = Shop::new(&args.shop)?;
            shop.start().await?;
            shop
        }
    };
    say(format!("the shop is at {}", shop.url()));
    let api = Arc::new(Api::new(shop.url())?);
    let admin = match &args.admin_email {
        Some(email) => Credentials { email: email.clone(), password: args.admin_password.clone() },
        None => customers::administrator(&shop, &api).await?,
    };
    let began = Instant::now();
    customers::import(&shop, &api, &year.customers).await?;
    figures.push(Figure::told("customers imported", "ms", millis(began.elapsed())));
    let mut credentials: Vec<_> = year.customers.iter().map(|customer| customers::credentials(customer)).collect();
    credentials.push(admin);
    let admin = credentials.len() - 1;
    let accounts = Arc::new(Accounts::new(api.clone(), credentials));
    let began = Instant::now();
    let token = accounts.token(admin).await?;
    let product_ids = catalogue::stock_up(&api, &token, &year.products).await?;
    figures.push(Figure::told("catalogue imported and exported", "ms", millis(began.elapsed())));
    say(format!("{} products and {} customers are in", product_ids.len(), admin));
    let buying = Arc::new(Buying { year, product_ids, api, accounts });
    Ok(Prepared { shop: Arc::new(Mutex::new(shop)), buying, admin, figures })
}

/// Places all invoices, with kills as planned.
async fn first_pass(args: &ReplayArgs, prepared: &mut Prepared, expected: &Facts) -> Result<Pass, Failure> {
    let total = expected.checkouts;
    let mut at: Vec<u64> = args.kill_at.iter().map(|part| part_of(total, *part)).collect();
    at.sort_unstable();
    let plan = Plan { at, every: args.kill_every.map(Duration::from_secs) };
    let planned = plan.at.len() as u64;
    let (done, follow) = watch::channel(0);
    let killing = tokio::spawn(killer::run(prepared.shop.clone(), plan, follow, total));
    let progress = report::progress("checkouts", total);
    let began = Instant::now();
    let pass = place_all(&prepared.buying, usize::from(args.concurrency), &progress, &done).await;
    let took = began.elapsed();
    progress.finish_and_clear();
    drop(done);
    let kills = killing.await??;
    let figures = &mut prepared.figures;
    if planned > 0 || args.kill_every.is_some() {
        let kills_wanted = if args.kill_every.is_some() { kills.max(1) } else { planned };
        figures.push(Figure::exact("kill -9 survived", "kills", kills, kills_wanted));
    }
    figures.push(Figure::told("log-ins", "", prepared.buying.accounts.log_ins()));
    figures.push(Figure::told("calls repeated", "", prepared.buying.api.repeats()));
    figures.push(Figure::told("answers replayed", "", pass.replayed));
    figures.push(Figure::told("ordering, log-ins included", "ms", millis(took)));
    figures.push(Figure::told("checkouts", "per second", per_second(pass.checkouts(), took)));
    figures.push(Figure::told("orders", "per second", per_second(pass.orders, took)));
    Ok(pass)
}

/// Compares the answers, the shop's lists and the databases with what must come out; answers the stock left.
async fn compare(prepared: &mut Prepared, pass: &Pass, expected: &Facts) -> Result<u64, Failure> {
    let products = prepared.buying.year.products.as_slice();
    let (listed, in_sql) = count(prepared, expected).await?;
    let token = prepared.buying.accounts.token(prepared.admin).await?;
    let (exported, left) = counts::stock(&prepared.buying.api, &token, products).await?;
    let put_in: i64 = products.iter().map(catalogue::put_in).sum();
    let left_wanted = u64::try_from(put_in)?.saturating_sub(expected.units);
    let figures = &mut prepared.figures;
    let mut exact = |name: &str, unit, value, wanted| figures.push(Figure::exact(name, unit, value, wanted));
    exact("source lines", "lines", pass.source_lines, expected.source_lines);
    exact("products, exported", "products", exported, expected.products);
    exact("products, SQL", "products", in_sql.products.unwrap_or(0), expected.products);
    let answered = Counted {
        checkouts: pass.checkouts(),
        orders: pass.orders,
        pence: pass.pence,
        units: pass.units,
        ..Counted::default()
    };
    for (way, counted) in [("answers", answered), ("lists", listed), ("SQL", in_sql)] {
        exact(&format!("checkouts, {way}"), "checkouts", counted.checkouts, expected.checkouts);
        exact(&format!("orders, {way}"), "orders", counted.orders, expected.orders);
        exact(&format!("sum over orders, {way}"), "pence", counted.pence, expected.pence);
        exact(&format!("units sold, {way}"), "units", counted.units, expected.units);
    }
    exact("stock left, exported", "units", left, left_wanted);
    exact("stock left, SQL", "units", in_sql.left.unwrap_or(0), left_wanted);
    Ok(left)
}

/// Sends everything again: each answer must be the stored one, and nothing may change.
async fn second_pass(
    args: &ReplayArgs,
    prepared: &mut Prepared,
    first: &Pass,
    expected: &Facts,
    left_before: u64,
) -> Result<(), Failure> {
    say("once more, with the same keys");
    let progress = report::progress("again", expected.checkouts);
    let (done, _follow) = watch::channel(0);
    let began = Instant::now();
    let pass = place_all(&prepared.buying, usize::from(args.concurrency), &progress, &done).await;
    let took = began.elapsed();
    progress.finish_and_clear();
    let (listed, in_sql) = count(prepared, expected).await?;
    let same = pass.ids.iter().zip(&first.ids).filter(|(again, before)| again.is_some() && again == before).count();
    let figures = &mut prepared.figures;
    figures.push(Figure::told("again: checkouts replayed", "per second", per_second(pass.replayed, took)));
    let mut exact = |name, unit, value, wanted| figures.push(Figure::exact(name, unit, value, wanted));
    exact("again: answers replayed", "checkouts", pass.replayed, expected.checkouts);
    exact("again: same checkout as before", "checkouts", same as u64, expected.checkouts);
    exact("again: orders, lists", "orders", listed.orders, expected.orders);
    exact("again: orders, SQL", "orders", in_sql.orders, expected.orders);
    exact("again: stock left, SQL", "units", in_sql.left.unwrap_or(0), left_before);
    Ok(())
}

/// The shop's own lists, and SQL.
async fn count(prepared: &Prepared, expected: &Facts) -> Result<(Counted, Counted), Failure> {
    say("counting over the shop's lists and by SQL");
    let Buying { api, accounts, .. } = &*prepared.buying;
    let progress = report::progress("counting", expected.orders);
    let listed = counts::by_lists(api, accounts, prepared.admin, &progress).await?;
    progress.finish_and_clear();
    let in_sql = counts::by_sql(&*prepared.shop.lock().await).await?;
    Ok((listed, in_sql))
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a moment in the run, not money; both factors are small and not negative"
)]
fn part_of(total: u64, part: f64) -> u64 {
    (total as f64 * part) as u64
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
