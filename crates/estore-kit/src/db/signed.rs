//! Changes that are signed: who makes them is said in their transaction, and the audit log takes it from there.

use std::fmt;

use deadpool_postgres::{GenericClient, Pool};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::bracket::bracketed;
use super::{DbError, execute};
use crate::request;

const SET_AUTHOR: &str = include_str!("../../queries/set_author.sql");

/// Says in this transaction who makes its changes: whoever asks in the request being answered, if somebody does.
///
/// # Errors
/// Those of the database.
pub async fn sign<C: GenericClient>(transaction: &C) -> Result<(), DbError> {
    let (user_id, request_id) = author();
    execute(transaction, SET_AUTHOR, &[&user_id, &request_id]).await.map(drop)
}

fn author() -> (String, String) {
    (request::caller().map(|id| id.to_string()).unwrap_or_default(), request::current_id())
}

/// Changes as whoever asks in the request being answered, each statement in a transaction and a round trip of its own;
/// cheap to clone.
#[derive(Clone)]
pub struct Signed {
    pool: Pool,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}

impl Signed {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// All rows that a statement answers.
    ///
    /// # Errors
    /// Those of the database; nothing has been changed then.
    pub async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DbError> {
        let client = self.pool.get().await?;
        let (user_id, request_id) = author();
        let [rows] = bracketed(&client, "BEGIN", (SET_AUTHOR, &[&user_id, &request_id]), [(sql, params)]).await?;
        Ok(rows)
    }

    /// The one row of a statement that answers at most one.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }
}
