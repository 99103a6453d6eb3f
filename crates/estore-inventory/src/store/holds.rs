//! Holds in the database. Whoever changes stock locks the products first, in id order, then the holds.

use std::collections::HashMap;

use deadpool_postgres::{GenericClient, Transaction};
use estore_api::inventory::{HeldLine, OpenHold, OpenHoldsQuery, RestockLine};
use estore_kit::db::{Db, DbError, Pipelined, execute, rows};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::hold::{Earlier, Shelf};

pub(crate) async fn lock_stock<C: GenericClient>(
    transaction: &C,
    product_ids: &[i32],
) -> Result<HashMap<i32, Shelf>, DbError> {
    let found = rows(transaction, include_str!("../../queries/lock_stock.sql"), &[&product_ids]).await?;
    let shelves = found.iter().map(|row| {
        let shelf = Shelf { price: row.get("price"), quantity: row.get("quantity"), is_active: row.get("is_active") };
        (row.get("id"), shelf)
    });
    Ok(shelves.collect())
}

pub(crate) async fn find<C: GenericClient>(
    transaction: &C,
    checkouts: &[Uuid],
) -> Result<HashMap<Uuid, Earlier>, DbError> {
    let found = rows(transaction, include_str!("../../queries/find_holds.sql"), &[&checkouts]).await?;
    let mut earlier = HashMap::new();
    for row in &found {
        let checkout_id: Uuid = row.get("checkout_id");
        if row.get::<_, &str>("state") != "held" {
            earlier.insert(checkout_id, Earlier::Over);
            continue;
        }
        let line = HeldLine {
            product_id: row.get("product_id"),
            quantity: row.get("quantity"),
            unit_price: row.get("unit_price"),
        };
        match earlier.entry(checkout_id).or_insert_with(|| Earlier::Held(Vec::new())) {
            Earlier::Held(lines) => lines.push(line),
            Earlier::Over => {}
        }
    }
    Ok(earlier)
}

/// Lines to be written as holds, column by column.
pub(crate) struct Granted {
    checkouts: Vec<Uuid>,
    products: Vec<i32>,
    quantities: Vec<i32>,
    prices: Vec<i32>,
}

impl Granted {
    pub(crate) fn of(granted: &[(Uuid, HeldLine)]) -> Self {
        Self {
            checkouts: granted.iter().map(|(checkout_id, _)| *checkout_id).collect(),
            products: granted.iter().map(|(_, line)| line.product_id).collect(),
            quantities: granted.iter().map(|(_, line)| line.quantity).collect(),
            prices: granted.iter().map(|(_, line)| line.unit_price).collect(),
        }
    }

    /// Writes them, and commits.
    pub(crate) async fn insert_and_commit(&self, transaction: Pipelined) -> Result<(), DbError> {
        let Self { checkouts, products, quantities, prices } = self;
        let insert: [&(dyn ToSql + Sync); 4] = [checkouts, products, quantities, prices];
        let sql = include_str!("../../queries/insert_holds.sql");
        transaction.commit_with([(sql, &insert)]).await.map(drop)
    }
}

pub(crate) async fn lock_held_products(transaction: &Transaction<'_>, checkouts: &[Uuid]) -> Result<u64, DbError> {
    execute(transaction, include_str!("../../queries/lock_held_products.sql"), &[&checkouts]).await
}

pub(crate) async fn insert_tombstones(transaction: &Transaction<'_>, checkouts: &[Uuid]) -> Result<u64, DbError> {
    execute(transaction, include_str!("../../queries/insert_tombstones.sql"), &[&checkouts]).await
}

pub(crate) async fn release(transaction: &Transaction<'_>, checkouts: &[Uuid]) -> Result<u64, DbError> {
    execute(transaction, include_str!("../../queries/release_holds.sql"), &[&checkouts]).await
}

pub(crate) async fn sell<C: GenericClient>(client: &C, checkouts: &[Uuid]) -> Result<u64, DbError> {
    execute(client, include_str!("../../queries/sell_holds.sql"), &[&checkouts]).await
}

pub(crate) async fn restock(transaction: &Transaction<'_>, lines: &[RestockLine]) -> Result<u64, DbError> {
    let orders: Vec<i32> = lines.iter().map(|line| line.order_id).collect();
    let checkouts: Vec<Uuid> = lines.iter().map(|line| line.checkout_id).collect();
    let products: Vec<i32> = lines.iter().map(|line| line.product_id).collect();
    let quantities: Vec<i32> = lines.iter().map(|line| line.quantity).collect();
    let sql = include_str!("../../queries/restock_orders.sql");
    execute(transaction, sql, &[&orders, &checkouts, &products, &quantities]).await
}

pub(crate) async fn list_open(db: &Db, query: &OpenHoldsQuery) -> Result<Vec<OpenHold>, DbError> {
    let (age, limit) = (i64::from(query.older_than_seconds), i64::from(query.limit));
    let found = db.rows(include_str!("../../queries/list_open_holds.sql"), &[&age, &query.after, &limit]).await?;
    let holds = found.iter();
    Ok(holds.map(|row| OpenHold { checkout_id: row.get("checkout_id"), created_at: row.get("created_at") }).collect())
}
