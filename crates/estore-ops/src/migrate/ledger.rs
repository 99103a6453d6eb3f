//! The ledger: which migrations a database has, with the checksums of both directions.

use jiff::Timestamp;
use tokio_postgres::{Client, GenericClient};

use super::error::MigrateError;
use crate::roles::{MONITOR, READER};

/// How far a migration has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It stands.
    Applied,
    /// A run outside a transaction was cut while applying it.
    Applying,
    /// A run outside a transaction was cut while taking it back.
    Reverting,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Applying => "applying",
            Self::Reverting => "reverting",
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "applying" => Self::Applying,
            "reverting" => Self::Reverting,
            _ => Self::Applied,
        }
    }
}

/// One row of the ledger.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The migration's version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// SHA-256 of the text that applied it, in hex.
    pub up_checksum: String,
    /// SHA-256 of the text that takes it back, in hex.
    pub down_checksum: String,
    /// That text: an older build can take back what it does not know.
    pub down: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// How long that took, in milliseconds.
    pub duration_ms: i64,
    /// How far it has come.
    pub state: State,
}

/// Makes the ledger; the application may read but not write it.
pub(crate) async fn ensure(client: &Client, app_role: &str) -> Result<(), MigrateError> {
    let failed = "make the migration ledger";
    let present = client
        .query_one("SELECT to_regclass('public.estore_migrations') IS NOT NULL", &[])
        .await
        .map_err(MigrateError::at(failed))?;
    if present.get(0) {
        return Ok(());
    }
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS public.estore_migrations (
            version bigint PRIMARY KEY,
            name text NOT NULL,
            up_checksum text NOT NULL CHECK (length(up_checksum) = 64),
            down_checksum text NOT NULL CHECK (length(down_checksum) = 64),
            down_sql text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            duration_ms bigint NOT NULL CHECK (duration_ms >= 0),
            state text NOT NULL CHECK (state IN ('applied', 'applying', 'reverting'))
        );
        REVOKE ALL ON public.estore_migrations FROM {app_role};
        GRANT SELECT ON public.estore_migrations TO {app_role}, {READER}, {MONITOR}"
    );
    client.batch_execute(&sql).await.map_err(MigrateError::at(failed))
}

/// Every row, oldest version first; none where there is no ledger yet.
pub(crate) async fn entries(client: &Client) -> Result<Vec<Entry>, MigrateError> {
    let failed = "read the migration ledger";
    let present = client
        .query_one("SELECT to_regclass('public.estore_migrations') IS NOT NULL", &[])
        .await
        .map_err(MigrateError::at(failed))?;
    if !present.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let sql = "SELECT version, name, up_checksum, down_checksum, down_sql, applied_at, duration_ms, state
               FROM public.estore_migrations ORDER BY version";
    let rows = client.query(sql, &[]).await.map_err(MigrateError::at(failed))?;
    Ok(rows
        .iter()
        .map(|row| Entry {
            version: row.get(0),
            name: row.get(1),
            up_checksum: row.get(2),
            down_checksum: row.get(3),
            down: row.get(4),
            applied_at: row.get(5),
            duration_ms: row.get(6),
            state: State::named(row.get(7)),
        })
        .collect())
}

/// Writes a row, or moves the one that is there to its next state.
pub(crate) async fn record<C: GenericClient>(client: &C, entry: &Entry) -> Result<(), tokio_postgres::Error> {
    let sql = "INSERT INTO public.estore_migrations
                   (version, name, up_checksum, down_checksum, down_sql, duration_ms, state)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (version) DO UPDATE SET up_checksum = excluded.up_checksum,
                   down_checksum = excluded.down_checksum, down_sql = excluded.down_sql,
                   duration_ms = excluded.duration_ms, state = excluded.state, applied_at = clock_timestamp()";
    client
        .execute(
            sql,
            &[
                &entry.version,
                &entry.name,
                &entry.up_checksum,
                &entry.down_checksum,
                &entry.down,
                &entry.duration_ms,
                &entry.state.name(),
            ],
        )
        .await
        .map(drop)
}

/// Removes a row.
pub(crate) async fn forget<C: GenericClient>(client: &C, version: i64) -> Result<(), tokio_postgres::Error> {
    client.execute("DELETE FROM public.estore_migrations WHERE version = $1", &[&version]).await.map(drop)
}
