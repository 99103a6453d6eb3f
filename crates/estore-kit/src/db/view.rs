//! What one person may see: statements that run as the application role, under row-level security.
//!
//! For whom they run is said in their transaction, and gone with it. What a customer asks with one statement carries the
//! word in itself; several, and what staff ask, travel together with their bracket and the word. Either is one round trip.

use std::fmt;

use deadpool_postgres::Pool;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Row};

use super::DbError;
use super::bracket::{Asked, bracketed};

const BEGIN: &str = "BEGIN READ ONLY";
/// What staff may see is another role's to see, which the application may become.
const BEGIN_AS_STAFF: &str = "BEGIN READ ONLY; SET LOCAL ROLE estore_staff";
const SET_VIEWER: &str = include_str!("../../queries/set_viewer.sql");

/// For whom a statement runs; the policies of row-level security read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// A customer sees what is theirs.
    Customer(i32),
    /// Staff see every order and what belongs to it.
    Staff(i32),
    /// Administrators see every account too.
    Admin(i32),
}

impl Viewer {
    fn user_id(self) -> i32 {
        match self {
            Self::Customer(id) | Self::Staff(id) | Self::Admin(id) => id,
        }
    }

    fn bracket(self) -> &'static str {
        match self {
            Self::Customer(_) => BEGIN,
            Self::Staff(_) | Self::Admin(_) => BEGIN_AS_STAFF,
        }
    }

    fn role(self) -> &'static str {
        match self {
            Self::Customer(_) => "customer",
            Self::Staff(_) => "staff",
            Self::Admin(_) => "admin",
        }
    }
}

/// Reads as one person, of a database that shows nothing else; cheap to clone.
#[derive(Clone)]
pub struct View {
    pool: Pool,
    viewer: Viewer,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("viewer", &self.viewer).finish_non_exhaustive()
    }
}

impl View {
    pub(super) fn new(pool: Pool, viewer: Viewer) -> Self {
        Self { pool, viewer }
    }

    /// All rows of a statement that the viewer may see.
    ///
    /// # Errors
    /// Those of the database; a statement that changes anything is refused.
    pub async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DbError> {
        if let Viewer::Customer(id) = self.viewer {
            let id = id.to_string();
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().copied().chain([&id as _]).collect();
            return super::rows(&self.pool.get().await?, &with_the_word(sql, params.len()), &params).await;
        }
        let [rows] = self.all([(sql, params)]).await?;
        Ok(rows)
    }

    /// The one row of a statement that answers at most one.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// The rows of several statements in one transaction and one round trip.
    ///
    /// # Errors
    /// As [`Self::rows`]; the first one's.
    pub async fn all<const N: usize>(&self, asked: [Asked<'_>; N]) -> Result<[Vec<Row>; N], DbError> {
        let client = self.pool.get().await?;
        let (user_id, role) = (self.viewer.user_id().to_string(), self.viewer.role());
        bracketed(&client, self.viewer.bracket(), (SET_VIEWER, &[&user_id, &role]), asked).await
    }
}

/// The statement with the word as a condition of its whole, in the last of its `params` parameters. PostgreSQL decides a
/// condition that holds of no row before it looks for the first one ("One-Time Filter" in a plan); one that came too
/// late would show nothing, since the word is gone with each statement. Who has no role to name says none.
fn with_the_word(sql: &str, params: usize) -> String {
    format!(
        "SELECT * FROM (\n{sql}\n) AS seen WHERE (SELECT set_config('estore.user_id', ${params}, true)) IS NOT NULL"
    )
}

/// Has a session change nothing.
pub(super) fn reading(mut config: Config) -> Config {
    let given = config.get_options().unwrap_or_default().to_owned();
    config.options(format!("-c default_transaction_read_only=on {given}"));
    config
}
