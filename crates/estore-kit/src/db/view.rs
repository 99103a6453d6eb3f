//! What one person may see: statements that run as the application role, under row-level security.
//!
//! For whom they run is said in their transaction, and gone with it. The bracket, the word and the statements travel
//! together, so that a view costs one round trip.

use std::fmt;

use deadpool_postgres::Pool;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

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
