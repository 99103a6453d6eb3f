//! A short transaction under exclusive locks: all of it, or nothing and another try.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::PartitionProgress;
use super::definitions::Definitions;
use super::error::PartitionError;
use super::progress::PartitionEvent;
use super::session::Session;
use crate::connection::quote_literal;

const HOLDERS: &str = include_str!("../../queries/partition/lock_holders.sql");
/// How long the server lets a transaction with locks wait for our next word, in milliseconds.
const IDLE_MS_MAX: u32 = 3_000;

/// What is done before the locks are asked for, and under them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) before: Vec<String>,
    pub(crate) under_locks: Vec<String>,
}

/// Does what `plan` makes of the definitions as they are, with every table of [`Definitions::tables`] locked.
pub(crate) async fn switch(
    session: &Session,
    step: &'static str,
    plan: impl Fn(&Definitions) -> Work,
    progress: PartitionProgress<'_>,
) -> Result<(), PartitionError> {
    progress(PartitionEvent::Started(step));
    let client = &session.connection;
    let mut tables = Vec::new();
    for attempt in 1..=session.options.attempts {
        // Others may not change the table between the look at it and the work, which keeps them out altogether.
        let begin = format!(
            "BEGIN; SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS_MAX}; \
             SET LOCAL lock_timeout = {}; LOCK TABLE orders IN ACCESS SHARE MODE",
            session.options.table_wait.as_millis()
        );
        let tried = async {
            client.batch_execute(&begin).await.map_err(PartitionError::at(step))?;
            let definitions = Definitions::read(client).await?;
            tables = definitions.tables();
            under_locks(client, step, &tables, (&plan(&definitions), session.options.table_wait)).await
        };
        match tried.await {
            Ok(micros) => {
                progress(PartitionEvent::Held { micros });
                return Ok(());
            }
            Err(error) => {
                client.batch_execute("ROLLBACK").await.map_err(PartitionError::at("give way"))?;
                if !is_busy(&error) {
                    return Err(error);
                }
                progress(PartitionEvent::GaveWay { attempt });
                sleep(pause(attempt)).await;
            }
        }
    }
    // The owner is not shown what other roles' sessions are at.
    session.run("ask who holds the tables", "RESET ROLE").await?;
    let rows = client.query(HOLDERS, &[&tables]).await.map_err(PartitionError::at("ask who holds the tables"))?;
    session.run("become the owner again", &session.as_owner).await?;
    Err(PartitionError::LockTimeout {
        attempts: session.options.attempts,
        wait_ms: session.options.table_wait.as_millis(),
        holders: rows.iter().map(|row| row.get(0)).collect(),
    })
}

/// How long others were held up, in microseconds.
async fn under_locks(
    client: &Client,
    step: &'static str,
    tables: &[String],
    (work, wait): (&Work, Duration),
) -> Result<u64, PartitionError> {
    client.batch_execute(&work.before.join(";\n")).await.map_err(PartitionError::at(step))?;
    let begun = Instant::now();
    let sql = format!("{};\n{};\nCOMMIT", lock_sql(tables, wait), work.under_locks.join(";\n"));
    client.batch_execute(&sql).await.map_err(PartitionError::at(step))?;
    Ok(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// All tables within the time, whatever each takes of it.
fn lock_sql(tables: &[String], wait: Duration) -> String {
    let names: Vec<String> = tables.iter().map(|table| quote_literal(table)).collect();
    format!(
        "DO $lock$ DECLARE begun timestamptz := clock_timestamp(); locked text; BEGIN
             FOREACH locked IN ARRAY ARRAY[{}]::text[] LOOP
                 PERFORM set_config('lock_timeout', greatest(1, {} - (extract(epoch FROM clock_timestamp() - begun) * 1000)::int)::text, true);
                 EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', locked);
             END LOOP;
         END $lock$",
        names.join(", "),
        wait.as_millis()
    )
}

/// Whether another try may work.
pub(crate) fn is_busy(error: &PartitionError) -> bool {
    let PartitionError::Database { source, .. } = error else { return false };
    [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED].iter().any(|busy| source.code() == Some(busy))
}

/// Doubles from a tenth of a second to two seconds, give or take half.
fn pause(attempt: u32) -> Duration {
    let base = 100_u64.saturating_mul(1 << attempt.min(5)).min(2_000);
    Duration::from_millis(rand::random_range(base / 2..base + base / 2))
}

/// Ends the transaction if the table has a row.
pub(crate) fn refuse_rows(table: &str) -> String {
    format!(
        "DO $check$ BEGIN IF EXISTS (SELECT FROM ONLY {table}) THEN
             RAISE EXCEPTION '{table} has orders by now' USING ERRCODE = 'object_not_in_prerequisite_state';
         END IF; END $check$"
    )
}
