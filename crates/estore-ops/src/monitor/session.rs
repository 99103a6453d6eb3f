//! One connection that only looks: read-only, with limits on everything, so that it hangs on nobody.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config};

use super::unseen::Unseen;
use crate::connection::{Connection, quote_identifier};

/// What the server's own statistics call us.
pub const APPLICATION: &str = "estore stats";
/// How long a server may take to accept us, and to answer one statement; the server's own limits are shorter.
const ANSWER_SECONDS_MAX: u64 = 10;
const CONNECT_SECONDS_MAX: u64 = 5;
/// The server's limits for one statement and one lock. Nothing here waits for a lock, but for one taken in between.
const LIMITS: &str = "SET statement_timeout = '8s'; SET lock_timeout = '500ms'; SET default_transaction_read_only = on; \
    SET jit = off; SET timezone = 'UTC'; SET search_path = pg_catalog, public";
const EXTENSION: &str = include_str!("../../queries/monitor/extension.sql");

/// A session of one database.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    statements: Extension,
    tuples: Extension,
}

/// What there is of an extension in this database.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Extension {
    /// The schema it is installed in, if it is.
    pub schema: Option<String>,
    /// Whether its files are on the server.
    pub is_available: bool,
    /// Whether the server loaded its library at its start.
    pub is_loaded: bool,
}

impl Session {
    /// Opens it.
    ///
    /// # Errors
    /// [`Unseen`], within [`CONNECT_SECONDS_MAX`] and some seconds.
    pub async fn open(config: &Config) -> Result<Self, Unseen> {
        let mut config = config.clone();
        config.application_name(APPLICATION).connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX));
        let connection = within(Connection::open(&config)).await?;
        within(connection.batch_execute(LIMITS)).await?;
        let mut path = String::from("SET search_path = pg_catalog, public");
        let statements = extension(&connection, "pg_stat_statements").await?;
        let tuples = extension(&connection, "pgstattuple").await?;
        for schema in [&statements.schema, &tuples.schema].into_iter().flatten() {
            path.push_str(&format!(", {}", quote_identifier(schema)));
        }
        within(connection.batch_execute(&path)).await?;
        Ok(Self { connection, statements, tuples })
    }

    /// `pg_stat_statements` in this database.
    #[must_use]
    pub fn statements(&self) -> &Extension {
        &self.statements
    }

    /// `pgstattuple` in this database.
    #[must_use]
    pub fn tuples(&self) -> &Extension {
        &self.tuples
    }

    /// The rows of one of the queries in `queries/monitor`, each as the struct that has its columns' names.
    ///
    /// # Errors
    /// [`Unseen`]: the server refused, or was too slow.
    pub async fn rows<T: DeserializeOwned>(
        &self,
        query: &str,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<T>, Unseen> {
        rows(&self.connection, query, arguments).await
    }

    /// The only row.
    ///
    /// # Errors
    /// [`Unseen`]: as above, or there is none.
    pub async fn row<T: DeserializeOwned>(&self, query: &str) -> Result<T, Unseen> {
        self.rows(query, &[]).await?.into_iter().next().ok_or_else(|| Unseen::new("the server told nothing", ""))
    }
}

/// How a query's rows are asked for: as JSON, so that a struct's fields name the columns.
#[must_use]
pub fn wrapped(query: &str) -> String {
    format!("SELECT to_jsonb(q)::text FROM ({query}) q")
}

async fn extension(client: &Client, name: &str) -> Result<Extension, Unseen> {
    let mut found = rows::<Extension>(client, EXTENSION, &[&name]).await?;
    found.pop().ok_or_else(|| Unseen::new("the server told nothing", ""))
}

async fn rows<T: DeserializeOwned>(
    client: &Client,
    query: &str,
    arguments: &[&(dyn ToSql + Sync)],
) -> Result<Vec<T>, Unseen> {
    let query = wrapped(query);
    let rows = within(client.query(&query, arguments)).await?;
    let read = |text: &str| serde_json::from_str(text).map_err(|error| Unseen::new(error.to_string(), ""));
    rows.iter().map(|row| read(row.get(0))).collect()
}

/// The server's own limits end a statement; this ends the wait for a server or network that says nothing.
async fn within<T>(asked: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Unseen> {
    match timeout(Duration::from_secs(ANSWER_SECONDS_MAX), asked).await {
        Ok(answered) => answered.map_err(|error| Unseen::from(&error)),
        Err(_late) => Err(Unseen::new(
            format!("the server said nothing for {ANSWER_SECONDS_MAX} s"),
            "look whether the server and the network to it are alive",
        )),
    }
}
