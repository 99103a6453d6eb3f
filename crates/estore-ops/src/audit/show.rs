//! Reads the audit log of a database.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::{Client, Error, Row};

use crate::roles::Service;

const SHOW: &str = include_str!("../../queries/audit/show.sql");

/// Which changes; what is left out asks for all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Made by this account.
    pub user_id: Option<i32>,
    /// Of this table.
    pub table: Option<String>,
    /// Of the row with this key.
    pub key: Option<String>,
    /// Made by this request.
    pub request_id: Option<String>,
    /// `insert`, `update`, `delete`, `truncate`, `resolve` or `rules`.
    pub operation: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// The newest so many.
    pub limit: u32,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The database: `users`, `inventory` or `payments`.
    pub database: &'static str,
    /// Its number there.
    pub id: i64,
    /// When its transaction began.
    pub at: Timestamp,
    /// The account that asked; none where nobody did.
    pub user_id: Option<i32>,
    /// Which service or command it was.
    pub service: String,
    /// The role that it had logged in as.
    pub database_role: String,
    /// The request.
    pub request_id: Option<String>,
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// What was done.
    pub operation: String,
    /// The columns that changed, as they were.
    pub before: Option<Value>,
    /// As they became.
    pub after: Option<Value>,
}

/// The newest of the changes that are wanted, newest first.
///
/// # Errors
/// Those of the database.
pub async fn show(client: &Client, service: Service, wanted: &Wanted) -> Result<Vec<Change>, Error> {
    let Wanted { user_id, table, key, request_id, operation, since, until, limit } = wanted;
    let limit = i64::from(*limit);
    let rows = client.query(SHOW, &[user_id, table, key, request_id, operation, since, until, &limit]).await?;
    Ok(rows.iter().map(|row| change(service, row)).collect())
}

fn change(service: Service, row: &Row) -> Change {
    Change {
        database: service.name(),
        id: row.get("id"),
        at: row.get("created_at"),
        user_id: row.get("user_id"),
        service: row.get("service"),
        database_role: row.get("database_role"),
        request_id: row.get("request_id"),
        table: row.get("table_name"),
        key: row.get("row_key"),
        operation: row.get("operation"),
        before: row.get("before"),
        after: row.get("after"),
    }
}
