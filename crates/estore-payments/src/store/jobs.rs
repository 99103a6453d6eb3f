//! What the jobs need: the outbox, leases, partitions, the clock.

use estore_api::inventory::RestockLine;
use estore_kit::db::{self, Db, DbError};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

const READ_OUTBOX: &str = include_str!("../../queries/read_outbox.sql");
const READ_UNPUBLISHED: &str = include_str!("../../queries/read_unpublished.sql");
const KEEP_FOR_INVENTORY: &str = include_str!("../../queries/keep_for_inventory.sql");
const PUBLISH_OUTBOX: &str = include_str!("../../queries/publish_outbox.sql");
const TAKE_LEASE: &str = include_str!("../../queries/take_lease.sql");
const MAKE_PARTITIONS: &str = include_str!("../../queries/make_partitions.sql");
const READ_CLOCK: &str = include_str!("../../queries/read_clock.sql");

/// Something that InventoryService must be told.
#[derive(Debug, Clone)]
pub(crate) struct Untold {
    pub(crate) id: i64,
    pub(crate) checkout_id: Uuid,
    pub(crate) news: News,
}

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// The hold is a sale.
    Paid,
    /// The hold is to be released.
    Failed,
    /// The units go back.
    Cancelled(RestockLine),
    /// Nothing that it keeps books of.
    Nothing,
}

/// The oldest untold events.
pub(crate) async fn untold(db: &Db, rows_max: i64) -> Result<Vec<Untold>, DbError> {
    let news = |row: &Row, checkout_id: Uuid| match (row.get::<_, &str>("topic"), row.get::<_, Option<i32>>("order_id"))
    {
        ("checkout.paid", _) => Ok(News::Paid),
        ("checkout.failed", _) => Ok(News::Failed),
        ("order.cancelled", Some(order_id)) => Ok(News::Cancelled(RestockLine {
            order_id,
            checkout_id,
            product_id: row.get("product_id"),
            quantity: row.get("quantity"),
        })),
        ("checkout.created" | "order.shipped" | "order.delivered" | "order.refunded", _) => Ok(News::Nothing),
        (other, _) => Err(DbError::Failed(format!("outbox.topic: {other}"))),
    };
    let untold = |row: &Row| {
        let checkout_id = row.get("checkout_id");
        Ok(Untold { id: row.get("id"), checkout_id, news: news(row, checkout_id)? })
    };
    db.rows(READ_OUTBOX, &[&rows_max]).await?.iter().map(untold).collect()
}

/// Takes what InventoryService has been told off the outbox, frees the keys of checkouts that were cut off, and writes
/// the webhook deliveries, and with `with_mails` what buyers are to be told; answers how many deliveries.
pub(crate) async fn publish(db: &Db, ids: &[i64], with_mails: bool) -> Result<u64, DbError> {
    db.execute(PUBLISH_OUTBOX, &[&ids, &with_mails, &true]).await
}

/// The same for a batch that InventoryService cannot be told of: what it must hear stays. Answers how many rows were
/// looked at and how many deliveries written.
pub(crate) async fn publish_without_inventory(
    db: &Db,
    rows_max: i64,
    with_mails: bool,
) -> Result<(usize, u64), DbError> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    let rows = db::rows(&transaction, READ_UNPUBLISHED, &[&rows_max]).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
    if ids.is_empty() {
        return Ok((0, 0));
    }
    db::execute(&transaction, KEEP_FOR_INVENTORY, &[&ids]).await?;
    let written = db::execute(&transaction, PUBLISH_OUTBOX, &[&ids, &with_mails, &false]).await?;
    transaction.commit().await?;
    Ok((ids.len(), written))
}

/// Takes or keeps a job for `seconds`; `by_force` where its holder is known to be dead.
pub(crate) async fn lease(db: &Db, name: &str, holder: Uuid, seconds: f64, by_force: bool) -> Result<bool, DbError> {
    Ok(db.execute(TAKE_LEASE, &[&name, &holder, &seconds, &by_force]).await? == 1)
}

/// Makes the partitions of the coming months.
pub(crate) async fn make_partitions(db: &Db, months_ahead: i32) -> Result<(), DbError> {
    db.rows(MAKE_PARTITIONS, &[&months_ahead]).await?;
    Ok(())
}

/// The database's time.
pub(crate) async fn clock(db: &Db) -> Result<Timestamp, DbError> {
    let row = db.row(READ_CLOCK, &[]).await?;
    Ok(row.map(|row| row.get("now")).unwrap_or_default())
}
