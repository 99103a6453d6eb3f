//! Whether migrated tables are the specification's, column for column and index name for index name.

use tokio_postgres::Config;

use super::error::MigrateError;
use super::fingerprint::Fingerprint;
use super::migrator::{MigrateOptions, settle};
use crate::connection::Connection;

/// What the specification has and the migrated database has not, or has otherwise; more is fine.
///
/// Both configurations become the owner; `specified` is an empty database the specification is
/// loaded into.
///
/// # Errors
/// [`MigrateError::Database`] when a database or the specification's text fails.
pub async fn compare_with_specification(
    migrated: &Config,
    specified: &Config,
    specification: &str,
) -> Result<Vec<String>, MigrateError> {
    let wait = MigrateOptions::default().table_wait;
    let reference = Connection::open(specified).await.map_err(MigrateError::at("connect to the empty database"))?;
    settle(&reference, wait).await?;
    reference.batch_execute(specification).await.map_err(MigrateError::at("load the specification"))?;
    let actual = Connection::open(migrated).await.map_err(MigrateError::at("connect to the migrated database"))?;
    settle(&actual, wait).await?;
    let (reference, actual) = (Fingerprint::take(&reference).await?, Fingerprint::take(&actual).await?);
    Ok(actual.lacking(&reference, &["column ", "constraint ", "index ", "sequence "]))
}
