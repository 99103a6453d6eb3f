//! The newest seal of a database, as it is noted elsewhere, and who noted which.

use tokio_postgres::{Client, Error};

use super::seal::Head;
use crate::roles::Service;

const NEWEST: &str = include_str!("../../queries/audit/newest.sql");
const IS_SEALED: &str = "SELECT to_regclass('public.audit_seals') IS NOT NULL";

/// A seal that was noted elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Of which database.
    pub service: Service,
    /// Who noted it.
    pub noted_by: String,
    /// What it noted.
    pub head: Head,
}

/// The newest seal in the transaction that the client is in; none where nothing was sealed, or nothing can be.
pub(crate) async fn newest(client: &Client) -> Result<Option<Head>, Error> {
    if !client.query_one(IS_SEALED, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let newest = client.query_opt(NEWEST, &[]).await?;
    Ok(newest.map(|row| Head::of(row.get(0), row.get(1))))
}
