//! One connection of its own, for work that must not share a pooled one.

use estore_kit::db;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

/// A client and the task that drives it; dropping it closes the connection and frees its locks.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Opens it; TLS for every host but a unix socket, unless the URL says `sslmode=disable`.
    ///
    /// # Errors
    /// Whatever the server or the network answers.
    pub async fn open(config: &Config) -> Result<Self, tokio_postgres::Error> {
        if db::is_plain(config) {
            let (client, connection) = config.connect(NoTls).await?;
            let driver = tokio::spawn(async move { drop(connection.await) });
            return Ok(Self { client, driver });
        }
        let (client, connection) = config.connect(db::tls()).await?;
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { client, driver })
    }
}

impl std::ops::Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl std::ops::DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// An identifier as SQL text.
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text value as SQL text, for statements that take no parameters.
#[must_use]
pub fn quote_literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}
