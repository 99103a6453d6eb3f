//! The server's log files, kept within bounds: it begins new ones, and removes none.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How large the server lets one file become, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What all of them may take, in bytes, the one being written included.
pub(crate) const ALL_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How long a file is kept, in days.
const KEEP_DAYS: u64 = 14;

/// Removes the oldest files beyond these bounds, never the newest.
pub(crate) fn prune(folder: &Path) {
    prune_beyond(folder, ALL_BYTES_MAX, Duration::from_secs(KEEP_DAYS * 24 * 3600));
}

fn prune_beyond(folder: &Path, bytes_max: u64, age_max: Duration) {
    let mut files: Vec<(SystemTime, PathBuf, u64)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with("postgresql-"));
            ours.then_some((metadata.modified().ok()?, entry.path(), metadata.len()))
        })
        .collect();
    files.sort_by(|one, other| other.cmp(one));
    let now = SystemTime::now();
    let mut sum = 0;
    for (at, (modified, path, length)) in files.iter().enumerate() {
        sum += length;
        let old = now.duration_since(*modified).is_ok_and(|age| age > age_max);
        if at > 0
            && (sum > bytes_max || old)
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, file = %path.display(), "an old log file of PostgreSQL cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_the_newest_stays() {
        let folder = tempfile::tempdir().unwrap();
        for (name, seconds_ago) in [
            ("postgresql-4.log", 1),
            ("postgresql-3.log", 50),
            ("postgresql-2.log", 60),
            ("postgresql-1.log", 9_000),
            ("mine", 9_999),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, "12345").unwrap();
            let then = SystemTime::now() - Duration::from_secs(seconds_ago);
            fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        }
        let left = || {
            let names =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names
        };
        prune_beyond(folder.path(), 100, Duration::from_secs(3_600));
        assert_eq!(left(), ["mine", "postgresql-2.log", "postgresql-3.log", "postgresql-4.log"]);
        prune_beyond(folder.path(), 10, Duration::from_secs(3_600));
        assert_eq!(left(), ["mine", "postgresql-3.log", "postgresql-4.log"]);
        prune_beyond(folder.path(), 1, Duration::ZERO);
        assert_eq!(left(), ["mine", "postgresql-4.log"]);
    }
}
