//! A shop that has been open for long: many products and many past orders, put in by set-based SQL.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::stage::Ware;
use crate::database::connect;
use crate::failure::Failure;
use crate::report::say;
use crate::shop::Shop;

/// Lines of each filled checkout, as `fill/checkouts.sql` and `fill/orders.sql` have it.
const LINES: u32 = 20;
/// Rows of one statement: products, or checkouts.
const CHUNK: u32 = 20_000;
/// Indexes of orders that are no constraints: built once the rows are there.
const INDEXES: &str = "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid = 'orders'::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)";
/// As a loader does: no commit waits for the disk, and what the rows refer to is not looked up, for it is made here.
const QUICK: &str = "SET synchronous_commit = off; SET session_replication_role = replica;
    SET maintenance_work_mem = '512MB'; SET max_parallel_maintenance_workers = 1";

/// How much is put in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) products: u32,
    pub(crate) orders: u32,
}

/// Fills the shop up to this size; only the databases may run. How long it took.
pub(crate) async fn fill(shop: &Shop, size: Size) -> Result<Duration, Failure> {
    let began = Instant::now();
    say(format!("filling in {} products and {} orders", size.products, size.orders));
    let (products, orders) =
        tokio::join!(Box::pin(products(shop, size.products)), Box::pin(fill_orders(shop, size.orders)));
    products?;
    orders?;
    let took = began.elapsed();
    say(format!("filled in {} s", took.as_secs()));
    Ok(took)
}

/// All products by id and price.
pub(crate) async fn wares(shop: &Shop) -> Result<Arc<[Ware]>, Failure> {
    let inventory = connect(shop, "inventory").await?;
    let rows =
        inventory.query("SELECT id::bigint, price::bigint FROM products WHERE is_active ORDER BY id", &[]).await?;
    let ware = |row: &tokio_postgres::Row| Ok(Ware { id: row.try_get(0)?, price: row.try_get(1)? });
    Ok(rows.iter().map(ware).collect::<Result<Vec<_>, Failure>>()?.into())
}

async fn products(shop: &Shop, products: u32) -> Result<(), Failure> {
    let inventory = connect(shop, "inventory").await?;
    inventory.batch_execute(QUICK).await?;
    in_chunks(&inventory, include_str!("../../fill/products.sql"), products).await?;
    inventory.batch_execute("VACUUM (ANALYZE) products, stock_movements").await?;
    Ok(inventory.batch_execute("CHECKPOINT").await?)
}

/// Fills in past orders alone; only the databases may run.
pub(crate) async fn fill_orders(shop: &Shop, orders: u32) -> Result<(), Failure> {
    let payments = connect(shop, "payments").await?;
    payments.batch_execute(QUICK).await?;
    let (mut drops, mut definitions) = (Vec::new(), Vec::new());
    for row in &payments.query(INDEXES, &[]).await? {
        drops.push(format!("DROP INDEX {}", row.try_get::<_, String>(0)?));
        definitions.push(row.try_get::<_, String>(1)?);
    }
    payments.batch_execute(&drops.join(";")).await?;
    in_chunks(&payments, include_str!("../../fill/checkouts.sql"), orders / LINES).await?;
    in_chunks(&payments, include_str!("../../fill/orders.sql"), orders / LINES).await?;
    payments.batch_execute(&definitions.join(";")).await?;
    let tables = "orders, checkouts, charges, ledger_transactions, ledger_entries";
    payments.batch_execute(&format!("VACUUM (ANALYZE) {tables}")).await?;
    Ok(payments.batch_execute("CHECKPOINT").await?)
}

/// Runs a statement over 1 to `end` in stretches.
async fn in_chunks(client: &Client, sql: &str, end: u32) -> Result<(), Failure> {
    let statement = client.prepare(sql).await?;
    for first in (1..=end).step_by(usize::try_from(CHUNK)?) {
        let (from, to) = (i32::try_from(first)?, i32::try_from(end.min(first + CHUNK - 1))?);
        client.execute(&statement, &[&from, &to]).await?;
    }
    Ok(())
}
