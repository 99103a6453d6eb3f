//! A transaction in one round trip: its bracket, a word that holds within it, and the statements travel together.

use deadpool_postgres::Client;
use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use super::DbError;

/// A statement and its parameters.
pub type Asked<'a> = (&'a str, &'a [&'a (dyn ToSql + Sync)]);

/// The rows of these statements, after `begin` and the `word`. Everything is on its way once this is first polled after
/// the statements are prepared, in this order; whoever stops waiting leaves the session outside of any transaction.
pub(super) async fn bracketed<const N: usize>(
    client: &Client,
    begin: &str,
    word: Asked<'_>,
    asked: [Asked<'_>; N],
) -> Result<[Vec<Row>; N], DbError> {
    let set = client.prepare_cached(word.0).await?;
    let statements = prepared(client, &asked).await?;
    let queries = statements.iter().zip(&asked).map(|(statement, (_, params))| client.query(statement, params));
    let (begun, said, answers, ended) = tokio::join!(
        biased;
        client.batch_execute(begin),
        client.execute(&set, word.1),
        join_all(queries),
        client.batch_execute("COMMIT"),
    );
    begun?;
    said?;
    answered(answers, ended)
}

/// The statements, prepared before anything of the transaction is sent: what had to be prepared later would come after the
/// commit.
pub(super) async fn prepared(client: &Client, asked: &[Asked<'_>]) -> Result<Vec<Statement>, DbError> {
    let mut statements = Vec::with_capacity(asked.len());
    for (sql, _) in asked {
        statements.push(client.prepare_cached(sql).await?);
    }
    Ok(statements)
}

/// The rows, where the statements and then the commit worked.
pub(super) fn answered<const N: usize>(
    answers: Vec<Result<Vec<Row>, Error>>,
    ended: Result<(), Error>,
) -> Result<[Vec<Row>; N], DbError> {
    let rows: Vec<Vec<Row>> = answers.into_iter().collect::<Result<_, _>>()?;
    ended?;
    rows.try_into().map_err(|_| DbError::Failed("a statement went unanswered".to_owned()))
}
