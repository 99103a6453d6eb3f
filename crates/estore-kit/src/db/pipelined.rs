//! A transaction whose bracket travels with its statements: `BEGIN` with the first of them, `COMMIT` with the last.
//!
//! Two round trips and no more waiting in between than the work itself takes: locks are held for less long, and neither the
//! server nor we are woken for a word that nobody waits for.

use std::future::Future;

use deadpool_postgres::Client;
use futures_util::future::join_all;
use tokio_postgres::Row;

use super::DbError;
use super::bracket::{Asked, answered, prepared};

/// A connection with a transaction on it. Dropped before [`Self::commit_with`], the connection is closed, and the server
/// takes back whatever was done.
#[derive(Debug)]
pub struct Pipelined {
    client: Option<Client>,
}

impl Pipelined {
    /// On a connection that is in no transaction; sends nothing yet.
    #[must_use]
    pub fn on(client: Client) -> Self {
        Self { client: Some(client) }
    }

    /// Begins, together with the first statements.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin_with<'a, T, F>(&'a self, first: impl FnOnce(&'a Client) -> F) -> Result<T, DbError>
    where
        F: Future<Output = Result<T, DbError>>,
    {
        let client = self.client()?;
        let (begun, first) = tokio::join!(biased; client.batch_execute("BEGIN"), first(client));
        begun?;
        first
    }

    fn client(&self) -> Result<&Client, DbError> {
        self.client.as_ref().ok_or_else(|| DbError::Failed("the transaction is over".to_owned()))
    }

    /// Sends the last statements and the commit together, and answers the statements' rows. Where one of them fails, the
    /// server takes back everything; its error is answered.
    ///
    /// # Errors
    /// Those of the statements and of the commit.
    pub async fn commit_with<const N: usize>(mut self, asked: [Asked<'_>; N]) -> Result<[Vec<Row>; N], DbError> {
        let statements = prepared(self.client()?, &asked).await?;
        let client = self.client.take().ok_or_else(|| DbError::Failed("the transaction is over".to_owned()))?;
        let queries = statements.iter().zip(&asked).map(|(statement, (_, params))| client.query(statement, params));
        // All of it is on its way once this is first polled.
        let (answers, ended) = tokio::join!(biased; join_all(queries), client.batch_execute("COMMIT"));
        answered(answers, ended)
    }
}

impl Drop for Pipelined {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Client::take(client));
        }
    }
}
