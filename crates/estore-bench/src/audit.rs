//! What the audit log costs: edits of products with the triggers that write it and without, and that a sale, which changes
//! the stock alone, is as quick either way.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use estore_kit::db::Db;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::database;
use crate::failure::Failure;
use crate::report::{self, Figure, per_second, say};
use crate::shop::{Shop, ShopArgs};
use crate::verify::fill;

/// Products of the shop.
const PRODUCTS: i32 = 10_000;
/// Orders in the shop; none of them is looked at.
const ORDERS: u64 = 1_000;
/// How many change something at a time, each on a connection.
const WRITERS: usize = 4;
/// Products that one statement of an import changes.
const BATCH: i32 = 1_000;
/// How often each way is measured, in turn.
const ROUNDS: u32 = 5;
/// What must be left of the rate of edits, one at a time and by the batch, and of sales.
const EDITS_KEPT_MIN: f64 = 0.5;
const BATCHES_KEPT_MIN: f64 = 0.25;
const SALES_KEPT_MIN: f64 = 0.9;
/// As an edit, an import and a sale change products.
const EDIT: &str =
    "UPDATE products SET price = price % 9000 + 1, updated_at = clock_timestamp() WHERE id = $1 RETURNING id";
const EDIT_MANY: &str = "UPDATE products SET price = price % 9000 + 1, updated_at = clock_timestamp()
                         WHERE id > $1 AND id <= $1 + 1000 RETURNING id";
const SELL: &str = "UPDATE products SET quantity = quantity + 1 WHERE id = $1 RETURNING id";

/// How long to measure.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Milliseconds of each round of each way.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    round_ms: u64,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
struct Work {
    name: &'static str,
    sql: &'static str,
    /// Products that one statement changes.
    rows: i32,
    kept_min: f64,
}

const WORKS: [Work; 3] = [
    Work { name: "audit_edits", sql: EDIT, rows: 1, kept_min: EDITS_KEPT_MIN },
    Work { name: "audit_batches", sql: EDIT_MANY, rows: BATCH, kept_min: BATCHES_KEPT_MIN },
    Work { name: "audit_sales", sql: SELL, rows: 1, kept_min: SALES_KEPT_MIN },
];

/// Fills a shop, changes it both ways in turn, and answers whether the log costs no more than it may.
pub(crate) async fn run(args: AuditArgs) -> Result<bool, Failure> {
    let mut shop = Shop::new(&args.shop)?;
    // The first start makes the databases.
    shop.start().await?;
    shop.stop().await?;
    shop.start_databases().await?;
    fill(&shop, ORDERS, PRODUCTS.unsigned_abs().into()).await?;
    let admin = database::connect(&shop, "inventory").await?;
    let url = shop.run(&["db", "url", "inventory", "--role", "estore_inventory_writer"], None).await?;
    let config: tokio_postgres::Config = url.trim().parse()?;
    let db = Db::new(config, WRITERS)?;
    let mut figures = Vec::new();
    for work in WORKS {
        say(format!("{}, with the audit log and without", work.name));
        figures.push(measured(&db, &admin, work, Duration::from_millis(args.round_ms)).await?);
    }
    shop.stop().await?;
    report::print(&figures, args.json)
}

async fn measured(db: &Db, admin: &Client, work: Work, time: Duration) -> Result<Figure, Failure> {
    let (mut with, mut without) = (0, 0);
    for round in 0..=ROUNDS {
        let mut rates = [0; 2];
        for (rate, switch) in rates.iter_mut().zip(["ENABLE", "DISABLE"]) {
            admin.batch_execute(&format!("ALTER TABLE products {switch} TRIGGER audit_update")).await?;
            *rate = per_second_of(db, work, time).await?;
        }
        // The first one warms both up.
        if round > 0 {
            (with, without) = (with + rates[0], without + rates[1]);
        }
    }
    admin.batch_execute("ALTER TABLE products ENABLE TRIGGER audit_update").await?;
    let rounds = u64::from(ROUNDS);
    Ok(Figure::share(work.name, "products/s", with / rounds, without / rounds, work.kept_min))
}

/// Products a second. Writers keep apart: each has a stretch of products of its own.
async fn per_second_of(db: &Db, work: Work, time: Duration) -> Result<u64, Failure> {
    let (began, changed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let next = Arc::new(AtomicI32::new(0));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (db, changed, next) = (db.clone(), Arc::clone(&changed), Arc::clone(&next));
        writers.spawn(async move {
            while began.elapsed() < time {
                let after = next.fetch_add(work.rows, Ordering::Relaxed) % PRODUCTS;
                let id = if work.rows == 1 { after + 1 } else { after };
                let rows = db.signed().rows(work.sql, &[&id]).await?;
                changed.fetch_add(rows.len() as u64, Ordering::Relaxed);
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    Ok(per_second(changed.load(Ordering::Relaxed), began.elapsed()))
}
