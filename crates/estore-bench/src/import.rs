//! The product import through the service, against a bare COPY of the same rows into a table just like it.

use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::{SinkExt, TryStreamExt, stream};
use tokio_postgres::Client;

use crate::accounts::Accounts;
use crate::api::Api;
use crate::catalogue::{self, CatalogueRow};
use crate::customers;
use crate::database::{connect, numbers};
use crate::failure::Failure;
use crate::report::{self, Figure, per_second, say};
use crate::retail::{self, Product};
use crate::shop::{Shop, ShopArgs, resident_bytes};

/// The part of COPY's rate that the import must reach.
const SHARE_MIN: f64 = 0.25;
/// How often COPY is measured; its best time counts.
const COPY_ROUNDS: usize = 3;

/// The columns that a client may write, in order.
const WRITABLE_COLUMNS: &str = "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = 'products' AND is_generated = 'NEVER'";

/// How much to import.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The "Online Retail" file, gzipped or plain, whose products are taken.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// How many products to make of them.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    products: u32,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Measures; whether the import is fast enough and complete.
pub(crate) async fn run(args: ImportArgs) -> Result<bool, Failure> {
    let wanted = u64::from(args.products);
    let csv = made_of(&retail::read(&args.data, None)?.products, args.products)?;
    let mut shop = Shop::new(&args.shop)?;
    shop.start().await?;
    let api = std::sync::Arc::new(Api::new(shop.url())?);
    let admin = customers::administrator(&shop, &api).await?;
    let token = Accounts::new(api.clone(), vec![admin]).token(0).await?;
    let database = connect(&shop, "inventory").await?;
    let bytes = csv.len() as u64;
    say(format!("importing {wanted} products ({bytes} bytes) through the service"));
    database.batch_execute("CHECKPOINT").await?;
    let began = Instant::now();
    api.post_csv("/v1/products/import", &token, csv).await?;
    let import = began.elapsed();
    let pid = shop.pid().ok_or_else(|| Failure::new("estore is gone"))?;
    let resident_kib = resident_bytes(pid)? / 1024;
    let [stored] = numbers(&database, "SELECT count(*) FROM products").await?;
    say("copying the same rows into a table like it");
    let copy = best_copy(&database, wanted).await?;
    shop.stop().await?;
    let figures = [
        Figure::exact("products imported", "products", stored.try_into()?, wanted),
        Figure::told("product import", "ms", u64::try_from(import.as_millis())?),
        Figure::told("bare COPY of the same rows", "ms", u64::try_from(copy.as_millis())?),
        Figure::told("resident memory of estore after the import", "KiB", resident_kib),
        Figure::share(
            "product import against COPY",
            "rows/s",
            per_second(wanted, import),
            per_second(wanted, copy),
            SHARE_MIN,
        ),
    ];
    report::print(&figures, args.json)
}

/// So many products out of the real ones; from the second time round, a SKU carries the round's number.
fn made_of(products: &[Product], wanted: u32) -> Result<Vec<u8>, Failure> {
    let rounds = (0..).flat_map(|round| products.iter().map(move |product| (round, product)));
    let named: Vec<(String, &Product)> = rounds
        .take(usize::try_from(wanted)?)
        .map(|(round, product)| match round {
            0 => (product.sku.clone(), product),
            _ => (format!("{}#{round}", product.sku), product),
        })
        .collect();
    catalogue::csv(named.iter().map(|(sku, product)| CatalogueRow { sku, product, quantity: product.sold }))
}

/// Copies the products into fresh tables with the same columns, constraints and indexes; the best time.
async fn best_copy(database: &Client, wanted: u64) -> Result<Duration, Failure> {
    let columns: String = database.query_one(WRITABLE_COLUMNS, &[]).await?.try_get(0)?;
    let out = database.copy_out(&format!("COPY (SELECT {columns} FROM products ORDER BY id) TO STDOUT")).await?;
    let rows: Vec<_> = out.try_collect().await?;
    let mut best = Duration::MAX;
    for _ in 0..COPY_ROUNDS {
        database.batch_execute("DROP TABLE IF EXISTS estore_bench_copy").await?;
        database.batch_execute("CREATE TABLE estore_bench_copy (LIKE products INCLUDING ALL); CHECKPOINT").await?;
        let began = Instant::now();
        let mut sink = pin!(database.copy_in(&format!("COPY estore_bench_copy ({columns}) FROM STDIN")).await?);
        sink.send_all(&mut stream::iter(rows.iter().cloned().map(Ok))).await?;
        let copied = sink.finish().await?;
        best = best.min(began.elapsed());
        if copied != wanted {
            return Err(Failure::new(format!("COPY took {copied} rows instead of {wanted}")));
        }
    }
    database.batch_execute("DROP TABLE estore_bench_copy").await?;
    Ok(best)
}
