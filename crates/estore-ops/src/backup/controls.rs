//! Negative controls: the same looks at a set that was spoilt on purpose. A proof that does not notice proves nothing.

use std::path::Path;

use url::Url;

use super::contents;
use super::error::BackupError;
use super::fence::PINNED;
use super::files::Fetched;
use super::keys::Identity;
use super::manifest::{Contents, Manifest, StoredFile};
use super::progress::silent;
use super::scratch::Place;
use super::store::Target;
use super::verify::{check_keys, databases};
use crate::connection::Connection;

/// Spoils copies of a set that was found well; each must be found out, for a reason of its own.
pub(crate) async fn check_controls(
    place: &Place<'_>,
    (fetched, manifest): (&Fetched, &Manifest),
    scratch: &Path,
) -> Result<((), String), BackupError> {
    let mut seen = Vec::new();
    if let Some(file) = manifest.files.iter().min_by_key(|file| file.bytes) {
        let path = fetched.path(file);
        let whole = std::fs::read(&path).map_err(BackupError::file("read", &path))?;
        let mut flipped = whole.clone();
        if let Some(byte) = flipped.get_mut(whole.len() / 2) {
            *byte ^= 1;
        }
        let cut = whole[..whole.len().saturating_sub(1)].to_vec();
        seen.push(noticed("a flipped byte", arrives(manifest, file, flipped, &scratch.join("flipped")).await)?);
        seen.push(noticed("a cut file", arrives(manifest, file, cut, &scratch.join("cut")).await)?);
        arrives(manifest, file, whole, &scratch.join("whole")).await?;
    }
    if !manifest.recipients.is_empty() {
        let opened = check_keys(fetched, manifest, Some(&Identity::of_nobody())).await;
        seen.push(noticed("a wrong key", opened.map(drop))?);
    }
    seen.extend(spoilt_rows(place, manifest).await?);
    Ok(((), format!("each is noticed: {}", seen.join("; "))))
}

/// What was said of something spoilt; that nothing was said is the fault.
fn noticed(what: &str, outcome: Result<(), BackupError>) -> Result<String, BackupError> {
    match outcome {
        Err(BackupError::Damaged { reason, .. }) => Ok(format!("{what} ({reason})")),
        Err(other) => Err(other),
        Ok(()) => {
            Err(BackupError::damaged("the proof itself", format!("{what} was not noticed, so it proves nothing")))
        }
    }
}

/// Stores a file in a target of its own, and fetches it as a proof does.
async fn arrives(manifest: &Manifest, file: &StoredFile, bytes: Vec<u8>, folder: &Path) -> Result<(), BackupError> {
    let (stored, fetched) = (folder.join("stored"), folder.join("fetched"));
    std::fs::create_dir_all(&fetched).map_err(BackupError::file("make", &fetched))?;
    let url = Url::from_directory_path(&stored);
    let url = url.map_err(|()| BackupError::Internal(format!("{} is no whole path", stored.display())))?;
    let target = Target::open(url.as_str(), [])?;
    target.put(&format!("{}/{}", manifest.id, file.name), bytes).await?;
    Fetched::bring(&target, manifest, &[file], &fetched, &silent).await?.check_hashes(manifest).map(drop)
}

/// A row, then its whole table, goes from the smallest table that has one; none of it stays.
async fn spoilt_rows(place: &Place<'_>, manifest: &Manifest) -> Result<Vec<String>, BackupError> {
    let databases = databases(manifest)?;
    let tables = databases.iter().flat_map(|(database, _, service)| {
        database.contents.tables.iter().map(move |(name, table)| (table.rows, name, table, *service))
    });
    let smallest = tables.filter(|(rows, ..)| *rows > 0).min_by_key(|(rows, name, ..)| (*rows, name.to_string()));
    let Some((_, name, table, service)) = smallest else { return Ok(Vec::new()) };
    let mut backed_up = Contents::default();
    backed_up.tables.insert(name.clone(), table.clone());
    let failed = || BackupError::database(service.database(), "spoil it on purpose");
    let server = place.connect(&place.in_database(service.database())).await?;
    server.batch_execute(PINNED).await.map_err(failed())?;
    let mut seen = Vec::new();
    let one_row = format!("DELETE FROM ONLY {name} WHERE ctid = (SELECT min(ctid) FROM ONLY {name})");
    for (what, spoil) in [("a dropped row", one_row), ("a missing table", format!("DROP TABLE {name} CASCADE"))] {
        // Without the triggers that would refuse, and never committed.
        let begin = format!("BEGIN; SET LOCAL session_replication_role = replica; {spoil}");
        server.batch_execute(&begin).await.map_err(failed())?;
        seen.push(noticed(what, differs(&server, &backed_up, name).await.map_err(failed())?)?);
        server.batch_execute("ROLLBACK").await.map_err(failed())?;
    }
    Ok(seen)
}

async fn differs(
    server: &Connection,
    backed_up: &Contents,
    table: &str,
) -> Result<Result<(), BackupError>, tokio_postgres::Error> {
    let restored = contents::of_table(server, table).await?;
    let found = backed_up.differences_of_rows(&restored);
    Ok(if found.is_empty() { Ok(()) } else { Err(BackupError::damaged(table, found.join("; "))) })
}
