//! How the table of orders stands, read from the catalogs.

use tokio_postgres::Client;

use super::error::PartitionError;
use super::session::{PartitionOptions, Session};
use crate::migrate::Database;

const STANDING: &str = include_str!("../../queries/partition/standing.sql");
const PARTITIONS: &str = include_str!("../../queries/partition/partitions.sql");

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersPartition {
    /// Its table's name.
    pub name: String,
    /// The first id that it takes; none where it takes all that are smaller.
    pub begin: Option<i64>,
    /// The first id that it does not take; none where it takes all that are larger.
    pub end: Option<i64>,
    /// Its rows as last counted; none where they never were.
    pub rows_estimated: Option<i64>,
    /// With its indexes, in bytes.
    pub bytes: i64,
    /// The limit of ids that a cut run left on it.
    pub ids_below: Option<i64>,
}

/// How the table of orders stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is partitioned.
    pub is_partitioned: bool,
    /// The limit of ids that a cut run left on the whole table: orders beyond it would be refused.
    pub ids_below: Option<i64>,
    /// The next id.
    pub next_id: i64,
    /// Whether its rows were ever counted as a whole.
    pub is_analysed: bool,
    /// The statements that prove what refers to it for the rows that were there before.
    pub unproven: Vec<String>,
    /// Whether a way back is under way: rows are copied into one table.
    pub is_merging: bool,
    /// The last id that was copied.
    pub merged_up_to: Option<i64>,
    /// Whether a way back that is done left its old partitions to be dropped.
    pub has_leftover: bool,
    /// The partitions, from the first id up.
    pub partitions: Vec<OrdersPartition>,
}

/// How the table of orders of this database stands; takes no lock and changes nothing.
///
/// # Errors
/// [`PartitionError`]; also where there is no such table.
pub async fn standing(database: &Database) -> Result<Standing, PartitionError> {
    look(&Session::look(database, &PartitionOptions::default()).await?.connection).await
}

pub(crate) async fn look(client: &Client) -> Result<Standing, PartitionError> {
    let row = client.query_one(STANDING, &[]).await.map_err(PartitionError::at("look at the table"))?;
    Ok(Standing {
        is_partitioned: row.get("is_partitioned"),
        ids_below: row.get("ids_below"),
        next_id: row.get("next_id"),
        is_analysed: row.get("is_analysed"),
        unproven: row.get::<_, Option<Vec<String>>>("unproven").unwrap_or_default(),
        is_merging: row.get("is_merging"),
        merged_up_to: row.get("merged_up_to"),
        has_leftover: row.get("has_leftover"),
        partitions: partitions(client).await?,
    })
}

pub(crate) async fn partitions(client: &Client) -> Result<Vec<OrdersPartition>, PartitionError> {
    let rows = client.query(PARTITIONS, &[]).await.map_err(PartitionError::at("list the partitions"))?;
    Ok(rows
        .iter()
        .map(|row| OrdersPartition {
            name: row.get("name"),
            begin: row.get("begin_id"),
            end: row.get("end_id"),
            rows_estimated: Some(row.get::<_, i64>("rows_estimated")).filter(|rows| *rows >= 0),
            bytes: row.get("bytes"),
            ids_below: row.get("ids_below"),
        })
        .collect())
}

impl OrdersPartition {
    /// Whether it holds a row.
    pub(crate) async fn is_used(&self, client: &Client) -> Result<bool, PartitionError> {
        let sql = format!("SELECT EXISTS (SELECT FROM ONLY {})", self.name);
        Ok(client.query_one(&sql, &[]).await.map_err(PartitionError::at("look into a partition"))?.get(0))
    }
}
