//! What row-level security costs: a customer's page of own orders as the service reads it, word and policies,
//! against the bare statement by a role that sees everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use estore_kit::db::{Db, Logins, Viewer};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::report::{self, Figure, per_second, say};
use crate::shop::{Shop, ShopArgs};
use crate::verify::fill;

/// As `GET /v1/orders` asks.
const OWN_ORDERS: &str = include_str!("../../estore-payments/queries/list_orders_of_user.sql");
/// Orders in the shop.
const ORDERS: u64 = 200_000;
/// Products that they are of.
const PRODUCTS: u64 = 10_000;
/// Customers who have them.
const CUSTOMERS: u64 = ORDERS / 10;
/// What a page takes, and one more.
const PAGE_ROWS: i64 = 21;
/// How many read at a time, each on a connection.
const READERS: usize = 4;
/// How often each way is measured, in turn.
const ROUNDS: u32 = 5;
/// What must be left of the bare statement's rate.
const AT_LEAST: f64 = 0.85;

/// How long to measure.
#[derive(Debug, Args)]
pub(crate) struct RowsArgs {
    /// Milliseconds of each round of each way.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    round_ms: u64,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Fills a shop, reads both ways in turn, and answers whether the policies cost no more than they may.
pub(crate) async fn run(args: RowsArgs) -> Result<bool, Failure> {
    let mut shop = Shop::new(&args.shop)?;
    // The first start makes the databases.
    shop.start().await?;
    shop.stop().await?;
    shop.start_databases().await?;
    fill(&shop, ORDERS, PRODUCTS).await?;
    let login = async |role: &str| -> Result<tokio_postgres::Config, Failure> {
        let url = shop.run(&["db", "url", "payments", "--role", role], None).await?;
        Ok(url.trim().parse()?)
    };
    let logins = Logins { writer: login("estore_payments_writer").await?, app: login("estore_payments_app").await? };
    // Half of the connections are for views.
    let db = Db::new(logins, READERS * 2)?;
    let time = Duration::from_millis(args.round_ms);
    let (mut closed, mut open) = (0, 0);
    say("own orders, by the policies and without");
    for round in 0..=ROUNDS {
        let (with, without) = (rate(&db, Way::Closed, time).await?, rate(&db, Way::Open, time).await?);
        // The first one warms both up.
        if round > 0 {
            (closed, open) = (closed + with, open + without);
        }
    }
    let (closed, open) = (closed / u64::from(ROUNDS), open / u64::from(ROUNDS));
    let figures = [Figure::share("own_orders_rls", "pages/s", closed, open, AT_LEAST)];
    shop.stop().await?;
    report::print(&figures, args.json)
}

/// How a page is read.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// As the customer, under the policies.
    Closed,
    /// As a role that sees everything.
    Open,
}

/// Pages a second.
async fn rate(db: &Db, way: Way, time: Duration) -> Result<u64, Failure> {
    let (began, read) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let (db, read) = (db.clone(), Arc::clone(&read));
        readers.spawn(async move {
            let mut customer = 1 + i32::try_from(reader).unwrap_or_default();
            while began.elapsed() < time {
                customer = 1 + (customer * 31 + 7) % i32::try_from(CUSTOMERS).unwrap_or(i32::MAX);
                let of = customer.to_string();
                let asked: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                    [&of, &i32::MAX, &None::<&str>, &PAGE_ROWS];
                let rows = match way {
                    Way::Closed => db.seen_by(Viewer::Customer(customer)).rows(OWN_ORDERS, &asked).await,
                    Way::Open => db.rows(OWN_ORDERS, &asked).await,
                };
                let rows = rows?;
                if rows.len() != usize::try_from(ORDERS / CUSTOMERS).unwrap_or_default() {
                    return Err(Failure::new(format!("customer {customer} has {} orders", rows.len())));
                }
                read.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }
    while let Some(reader) = readers.join_next().await {
        reader??;
    }
    Ok(per_second(read.load(Ordering::Relaxed), began.elapsed()))
}
