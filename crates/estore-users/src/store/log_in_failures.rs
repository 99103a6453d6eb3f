//! Log-ins that failed of late.

use deadpool_postgres::GenericClient;
use estore_kit::db::{DbError, execute, rows};
use tokio_postgres::Row;

use crate::limits::FAILURES_REMEMBERED;
use crate::store::users::{Credentials, credentials};
use crate::throttle::{Failed, Subjects, Tried};

/// Reads a count and its age; none for a subject that never failed.
pub(super) fn failed(row: &Row, failures: &str, seconds: &str) -> Failed {
    let times: Option<i32> = row.get(failures);
    let seconds_ago: Option<i64> = row.get(seconds);
    Failed { times: times.unwrap_or(0), seconds_ago: seconds_ago.unwrap_or(0) }
}

/// The account of the address, if there is one, and how often log-ins failed.
pub(crate) async fn find_log_in<C: GenericClient>(
    db: &C,
    email: &str,
    subjects: &Subjects,
) -> Result<(Option<Credentials>, Tried), DbError> {
    let Subjects { account, address, pair } = subjects;
    let found = rows(db, include_str!("../../queries/find_log_in.sql"), &[&email, account, address, pair]).await?;
    let Some(row) = found.first() else { return Ok((None, Tried::default())) };
    let tried = Tried {
        account: failed(row, "account_failures", "account_seconds"),
        address: failed(row, "address_failures", "address_seconds"),
        pair: failed(row, "pair_failures", "pair_seconds"),
    };
    let is_known = row.get::<_, Option<i32>>("id").is_some();
    Ok((is_known.then(|| credentials(row)), tried))
}

/// How often log-ins of a subject failed.
pub(crate) async fn find_failures<C: GenericClient>(db: &C, subject: &str) -> Result<Failed, DbError> {
    let found = rows(db, include_str!("../../queries/find_log_in_failures.sql"), &[&subject]).await?;
    Ok(found.first().map_or_else(Failed::default, |row| failed(row, "failures", "seconds")))
}

/// Whether a session of the account began at this address; as long for an account that there is not.
pub(crate) async fn is_known_address<C: GenericClient>(
    db: &C,
    email: &str,
    address_key: &str,
) -> Result<bool, DbError> {
    let found = rows(db, include_str!("../../queries/is_known_address.sql"), &[&email, &address_key]).await?;
    Ok(found.first().is_some_and(|row| row.get("known")))
}

pub(crate) async fn count_log_in_failure<C: GenericClient>(db: &C, subjects: &[&str]) -> Result<(), DbError> {
    let sql = include_str!("../../queries/count_log_in_failure.sql");
    execute(db, sql, &[&subjects, &FAILURES_REMEMBERED.as_secs_f64()]).await.map(drop)
}

pub(crate) async fn forget_log_in_failures<C: GenericClient>(db: &C, subject: &str) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/forget_log_in_failures.sql"), &[&subject]).await.map(drop)
}
