//! What a restored set is held against: its manifest, its own rules, its pages.

use super::error::BackupError;
use super::manifest::Manifest;
use super::scratch::Place;
use super::verify::databases;
use super::{contents, fence, program};

const OWNED_SEQUENCES: &str = include_str!("../../queries/backup_owned_sequences.sql");
const NOT_VALID: &str = include_str!("../../queries/backup_not_valid.sql");
/// Differences named at most.
const NAMED_MAX: usize = 8;

/// Every difference is a fault; the first few are named.
fn refuse(mut differences: Vec<String>) -> Result<(), BackupError> {
    if differences.is_empty() {
        return Ok(());
    }
    let more = differences.len().saturating_sub(NAMED_MAX);
    differences.truncate(NAMED_MAX);
    if more > 0 {
        differences.push(format!("and {more} more"));
    }
    Err(BackupError::damaged("the restored databases", differences.join("; ")))
}

async fn contents_of(place: &Place<'_>, database: &str) -> Result<super::Contents, BackupError> {
    let connection = place.connect(&place.in_database(database)).await?;
    let failed = || BackupError::database(database, "count and hash what was restored");
    connection.batch_execute(fence::PINNED).await.map_err(failed())?;
    contents::take(&connection).await.map_err(failed())
}

pub(crate) async fn check_contents(place: &Place<'_>, manifest: &Manifest) -> Result<((), String), BackupError> {
    let mut differences = Vec::new();
    for (database, _, service) in databases(manifest)? {
        let restored = contents_of(place, service.database()).await?;
        let found = database.contents.differences_of_rows(&restored);
        differences.extend(found.into_iter().map(|difference| format!("{service}: {difference}")));
    }
    refuse(differences)?;
    let tables: usize = manifest.databases.iter().map(|database| database.contents.tables.len()).sum();
    Ok(((), format!("{tables} tables have the rows they had, by count and hash")))
}

pub(crate) async fn check_schema(place: &Place<'_>, manifest: &Manifest) -> Result<((), String), BackupError> {
    let mut differences = Vec::new();
    for (database, _, service) in databases(manifest)? {
        let connection = place.connect(&place.in_database(service.database())).await?;
        let failed = || BackupError::database(service.database(), "look at what was restored");
        connection.batch_execute(fence::PINNED).await.map_err(failed())?;
        let restored = contents::schema_of(&connection).await.map_err(failed())?;
        let mut found = database.contents.differences_of_schema(&restored);
        let rows = connection.query(NOT_VALID, &[]).await.map_err(failed())?;
        found.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        found.extend(sequences_behind(&connection).await.map_err(failed())?);
        differences.extend(found.into_iter().map(|difference| format!("{service}: {difference}")));
    }
    refuse(differences)?;
    let objects: usize = manifest.databases.iter().map(|database| database.contents.schema.len()).sum();
    Ok(((), format!("{objects} objects are defined as they were; constraints and indexes are valid, sequences ahead")))
}

/// Sequences that would give out a number that a row already has.
async fn sequences_behind(client: &tokio_postgres::Client) -> Result<Vec<String>, tokio_postgres::Error> {
    let owned = client.query(OWNED_SEQUENCES, &[]).await?;
    let statements: Vec<String> = owned.iter().map(|row| row.get(0)).collect();
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    let rows = client.query(&statements.join(" UNION ALL "), &[]).await?;
    let behind = rows.iter().filter(|row| row.get::<_, Option<i64>>(2) > row.get::<_, Option<i64>>(1));
    Ok(behind.map(|row| format!("sequence {} stands behind the rows of its table", row.get::<_, String>(0))).collect())
}

/// Every page of every table and index, and that each index knows every row.
pub(crate) async fn check_pages(place: &Place<'_>, manifest: &Manifest) -> Result<((), String), BackupError> {
    let mut command = program::command(place.binaries, "pg_amcheck", &place.administrator);
    command.args(["--install-missing", "--heapallindexed", "--parent-check", "--no-password", "--jobs=2"]);
    for (_, _, service) in databases(manifest)? {
        command.arg("--database").arg(service.database());
    }
    program::run(command, "pg_amcheck").await?;
    Ok(((), "pg_amcheck finds every row in its indexes and no page damaged".to_owned()))
}
