//! Starts a new migration: a folder with both directions to fill in.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::MigrateError;

const UP: &str = "-- What this changes and why. Runs in one transaction; a first line `-- no-transaction`
-- runs its one statement outside, for CREATE INDEX CONCURRENTLY and the like.
";
const DOWN: &str = "-- Takes exactly that back. If rows are lost, the first line says which:
-- `-- destructive: the notes of all orders`.
";

/// Makes `<folder>/<YYYYMMDDHHMM>_<name>/{up,down}.sql` and answers the new folder.
///
/// # Errors
/// [`MigrateError::Invalid`] for a name that is not `snake_case`; [`MigrateError::File`].
pub fn new(folder: &Path, name: &str, now: Timestamp) -> Result<PathBuf, MigrateError> {
    let mut version = version_at(now);
    let plain = !name.is_empty()
        && name.len() <= 80
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !plain {
        let reason = "its name must be 1 to 80 of a-z, 0-9 and _".to_owned();
        return Err(MigrateError::Invalid { version, name: name.to_owned(), reason });
    }
    let newest = newest_version(folder);
    if newest >= version {
        version = newest + 1;
    }
    let made = folder.join(format!("{version}_{name}"));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| MigrateError::File { path, source }
    };
    fs::create_dir_all(&made).map_err(failed(&made))?;
    for (file, text) in [("up.sql", UP), ("down.sql", DOWN)] {
        let path = made.join(file);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(made)
}

fn version_at(now: Timestamp) -> i64 {
    now.strftime("%Y%m%d%H%M").to_string().parse().unwrap_or_default()
}

fn newest_version(folder: &Path) -> i64 {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().to_str()?.split('_').next()?.parse().ok()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_migration_comes_after_all_others() {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-22T20:30:59Z".parse().unwrap();
        let first = new(folder.path(), "add_payment_status", now).unwrap();
        assert!(first.ends_with("202611222030_add_payment_status"));
        assert!(first.join("up.sql").is_file() && first.join("down.sql").is_file());
        let second = new(folder.path(), "again", now).unwrap();
        assert!(second.ends_with("202611222031_again"));
        assert!(new(folder.path(), "No/Good", now).is_err());
    }
}
