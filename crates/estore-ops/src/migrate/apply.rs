//! Runs one migration, all or nothing, giving way to the shop's own transactions.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_postgres::error::{ErrorPosition, SqlState};

use super::error::{MigrateError, Position};
use super::ledger::{self, Entry, State};
use super::migrator::{MigrateOptions, settle};
use super::progress::{Direction, Event, Progress};
use super::{partitioned, script};
use crate::connection::{Connection, quote_identifier};

/// One migration in one direction.
pub(crate) struct Step<'a> {
    pub(crate) entry: Entry,
    pub(crate) direction: Direction,
    pub(crate) sql: &'a str,
    /// Whether an earlier run of it outside a transaction was cut.
    pub(crate) resumed: bool,
    pub(crate) place: (usize, usize),
}

/// Why one attempt did not work.
enum Refusal {
    Script(tokio_postgres::Error),
    Other(MigrateError),
}

impl From<MigrateError> for Refusal {
    fn from(error: MigrateError) -> Self {
        Self::Other(error)
    }
}

/// Tries a step until it is done, it fails, or its tables stay locked for too long.
pub(crate) async fn run(
    connection: &mut Connection,
    options: &MigrateOptions,
    step: &Step<'_>,
    progress: Progress<'_>,
) -> Result<(), MigrateError> {
    let (direction, version) = (step.direction, step.entry.version);
    let (index, total) = step.place;
    progress(Event::Started { direction, version, name: &step.entry.name, index, total });
    let outside = script::is_no_transaction(step.sql);
    let wait = if outside { options.concurrent_wait } else { options.table_wait };
    for attempt in 1..=options.attempts {
        settle(connection, wait).await?;
        let tried = if outside {
            outside_transaction(connection, step, options.table_wait).await
        } else {
            in_transaction(connection, step).await
        };
        match tried {
            Ok(duration_ms) => {
                progress(Event::Finished { direction, version, duration_ms });
                return Ok(());
            }
            Err(Refusal::Other(error)) => return Err(error),
            Err(Refusal::Script(error)) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                progress(Event::TableLocked { version, attempt });
                if attempt < options.attempts {
                    sleep(pause(attempt)).await;
                }
            }
            Err(Refusal::Script(error)) => return Err(failed(step, &error)),
        }
    }
    Err(MigrateError::LockTimeout {
        version,
        name: step.entry.name.clone(),
        attempts: options.attempts,
        timeout_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Doubles from a tenth of a second to three seconds, give or take half.
fn pause(attempt: u32) -> Duration {
    let base = 100_u64.saturating_mul(1 << attempt.min(5)).min(3_000);
    Duration::from_millis(rand::random_range(base / 2..base + base / 2))
}

async fn in_transaction(connection: &mut Connection, step: &Step<'_>) -> Result<i64, Refusal> {
    let started = Instant::now();
    let transaction = connection.transaction().await.map_err(MigrateError::at("open a transaction"))?;
    transaction.batch_execute(step.sql).await.map_err(Refusal::Script)?;
    let duration_ms = elapsed_ms(started);
    let noted = match step.direction {
        Direction::Up => ledger::record(&transaction, &Entry { duration_ms, ..step.entry.clone() }).await,
        Direction::Down => ledger::forget(&transaction, step.entry.version).await,
    };
    noted.map_err(MigrateError::at("write the migration ledger"))?;
    // A deferred constraint speaks up only here.
    transaction.commit().await.map_err(Refusal::Script)?;
    Ok(duration_ms)
}

/// The ledger names the work before it starts, so that a cut run is known and done over.
async fn outside_transaction(connection: &Connection, step: &Step<'_>, wait: Duration) -> Result<i64, Refusal> {
    let started = Instant::now();
    let noted = MigrateError::at("write the migration ledger");
    match step.direction {
        Direction::Up => {
            clear_index(connection, step, step.resumed, wait).await.map_err(Refusal::Script)?;
            let applying = Entry { state: State::Applying, ..step.entry.clone() };
            ledger::record(&**connection, &applying).await.map_err(noted)?;
            if let Err(error) = build(connection, step.sql, wait).await {
                if clear_index(connection, step, false, wait).await.is_ok() {
                    let forgotten = ledger::forget(&**connection, step.entry.version).await;
                    forgotten.map_err(MigrateError::at("write the migration ledger"))?;
                }
                return Err(Refusal::Script(error));
            }
            let duration_ms = elapsed_ms(started);
            let applied = Entry { duration_ms, state: State::Applied, ..step.entry.clone() };
            let recorded = ledger::record(&**connection, &applied).await;
            recorded.map_err(MigrateError::at("write the migration ledger"))?;
        }
        Direction::Down => {
            let reverting = Entry { state: State::Reverting, ..step.entry.clone() };
            ledger::record(&**connection, &reverting).await.map_err(noted)?;
            match remove(connection, step.sql, wait).await {
                Err(error) if step.resumed && is_gone(&error) => {}
                other => other.map_err(Refusal::Script)?,
            }
            let forgotten = ledger::forget(&**connection, step.entry.version).await;
            forgotten.map_err(MigrateError::at("write the migration ledger"))?;
        }
    }
    Ok(elapsed_ms(started))
}

async fn build(connection: &Connection, sql: &str, wait: Duration) -> Result<(), tokio_postgres::Error> {
    if let Some(index) = script::concurrent_index(sql)
        && partitioned::build(connection, &index, wait).await?
    {
        return Ok(());
    }
    connection.batch_execute(sql).await
}

async fn remove(connection: &Connection, sql: &str, wait: Duration) -> Result<(), tokio_postgres::Error> {
    if let Some(index) = script::dropped_index(sql)
        && partitioned::remove(connection, index, wait).await?
    {
        return Ok(());
    }
    connection.batch_execute(sql).await
}

/// Drops the index a cut `CREATE INDEX CONCURRENTLY` left: an invalid one always, a valid one when
/// the ledger says that it is from a run that did not finish.
async fn clear_index(
    connection: &Connection,
    step: &Step<'_>,
    resumed: bool,
    wait: Duration,
) -> Result<(), tokio_postgres::Error> {
    let Some(index) = script::concurrent_index(step.sql) else { return Ok(()) };
    let found = connection
        .query_opt(
            "SELECT NOT index.indisvalid FROM pg_index index JOIN pg_class class ON class.oid = index.indexrelid
             WHERE class.relnamespace = 'public'::regnamespace AND class.relname = $1",
            &[&index.name],
        )
        .await?;
    let is_left = found.is_some_and(|row| row.get(0) || resumed);
    if is_left && !partitioned::clear(connection, &index, wait).await? {
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS public.{}", quote_identifier(&index.name));
        connection.batch_execute(&drop).await?;
    }
    Ok(())
}

fn is_gone(error: &tokio_postgres::Error) -> bool {
    [SqlState::UNDEFINED_OBJECT, SqlState::UNDEFINED_TABLE].iter().any(|gone| error.code() == Some(gone))
}

fn elapsed_ms(started: Instant) -> i64 {
    i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX)
}

fn failed(step: &Step<'_>, error: &tokio_postgres::Error) -> MigrateError {
    let (version, name, direction) = (step.entry.version, step.entry.name.clone(), step.direction);
    let Some(db) = error.as_db_error() else {
        let (message, code) = (error.to_string(), "no SQLSTATE".to_owned());
        return MigrateError::Failed { version, name, direction, position: None, message, code };
    };
    let position = match db.position() {
        Some(ErrorPosition::Original(at)) => Some(position_of(step.sql, *at)),
        _ => None,
    };
    let message = match db.detail() {
        Some(detail) => format!("{}: {detail}", db.message()),
        None => db.message().to_owned(),
    };
    MigrateError::Failed { version, name, direction, position, message, code: db.code().code().to_owned() }
}

/// The line and column of the character the server counted to, from 1.
fn position_of(sql: &str, at: u32) -> Position {
    let before = usize::try_from(at).unwrap_or(usize::MAX).saturating_sub(1);
    let (mut line, mut column) = (1, 1);
    for letter in sql.chars().take(before) {
        (line, column) = if letter == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    Position { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_in_characters() {
        assert_eq!(position_of("ab\nüx", 1), Position { line: 1, column: 1 });
        assert_eq!(position_of("ab\nüx", 5), Position { line: 2, column: 2 });
    }
}
