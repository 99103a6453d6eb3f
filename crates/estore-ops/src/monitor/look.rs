//! Looks that were stored, so that a later one can tell what happened since.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::database::DatabaseCounters;
use super::statement::Statements;

/// The folder of looks, in the data directory.
const FOLDER: &str = "stats";
/// The largest look that is read, in bytes: three databases with all the statements they keep need a tenth.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Characters of a look's name.
const NAME_CHARACTERS_MAX: usize = 64;
const FIRST_SEEN: &str = "first-seen.json";

/// The counters of databases at one moment. No statement's text is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub taken_at: Timestamp,
    /// By [`database_id`].
    pub databases: BTreeMap<String, Counters>,
}

/// One database's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counters {
    /// All sessions together.
    pub database: Option<DatabaseCounters>,
    /// Each statement.
    pub statements: Option<Statements>,
    /// Each table, by its number: blocks read, blocks hit, scans of all, rows of those, scans by an index.
    pub tables: BTreeMap<i64, [i64; 5]>,
    /// Each index, by its number: scans, entries read.
    pub indexes: BTreeMap<i64, [i64; 2]>,
}

/// When each index of each database was first seen here, by [`database_id`] and number.
pub type FirstSeen = BTreeMap<String, BTreeMap<i64, Timestamp>>;

/// Why a look is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// A name that is no file's.
    #[error("a look's name is 1 to {NAME_CHARACTERS_MAX} of a-z, 0-9, - and _: {0:?} is not")]
    Name(String),
    /// There is none of that name.
    #[error("there is no look {name:?} in {folder}; take one first: estore db stats --save {name}")]
    Missing {
        /// Which.
        name: String,
        /// Where it was looked for.
        folder: String,
    },
    /// None is old enough.
    #[error("no look in {folder} is {seconds} s old; the oldest is of {oldest}")]
    TooYoung {
        /// Where.
        folder: String,
        /// How old it should be.
        seconds: i64,
        /// How old the oldest is.
        oldest: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A file is none of ours.
    #[error("{path} is no look: {cause}; remove it")]
    Malformed {
        /// Which.
        path: String,
        /// Why.
        cause: serde_json::Error,
    },
}

/// What a database is known by, whatever its server is called: the cluster's number and its own.
#[must_use]
pub fn database_id(system_identifier: &str, oid: i64) -> String {
    format!("{system_identifier}/{oid}")
}

/// The looks of a data directory.
#[derive(Debug, Clone)]
pub struct Looks {
    folder: PathBuf,
}

impl Looks {
    /// Those under a data directory, which need not be there yet.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self { folder: data_dir.join(FOLDER) }
    }

    /// Stores a look, in the place of an earlier one of that name.
    ///
    /// # Errors
    /// [`LookError::Name`], [`LookError::File`].
    pub fn save(&self, name: &str, look: &Look) -> Result<(), LookError> {
        let path = self.path(name)?;
        self.write(&path, look)
    }

    /// The look of that name.
    ///
    /// # Errors
    /// [`LookError`].
    pub fn named(&self, name: &str) -> Result<Look, LookError> {
        let path = self.path(name)?;
        read(&path)?.ok_or_else(|| LookError::Missing { name: name.to_owned(), folder: shown(&self.folder) })
    }

    /// The newest look that is at least so many seconds old.
    ///
    /// # Errors
    /// [`LookError::TooYoung`] when there is none.
    pub fn aged(&self, seconds: i64, now: Timestamp) -> Result<Look, LookError> {
        let (mut best, mut oldest): (Option<Look>, Option<Timestamp>) = (None, None);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") || path.ends_with(FIRST_SEEN) {
                continue;
            }
            // One that is damaged is not in the way of the others.
            let Ok(Some(look)) = read::<Look>(&path) else { continue };
            oldest = Some(oldest.map_or(look.taken_at, |oldest| oldest.min(look.taken_at)));
            let fits = now.as_second() - look.taken_at.as_second() >= seconds;
            if fits && best.as_ref().is_none_or(|best| best.taken_at < look.taken_at) {
                best = Some(look);
            }
        }
        best.ok_or_else(|| LookError::TooYoung {
            folder: shown(&self.folder),
            seconds,
            oldest: oldest.map_or("never".to_owned(), |oldest| oldest.to_string()),
        })
    }

    /// Notes the indexes that there are, and forgets those that there are no more. Answers since when each is known.
    ///
    /// # Errors
    /// [`LookError`]; what is not written is known from now on only.
    pub fn note_indexes(
        &self,
        database: &str,
        indexes: &[i64],
        now: Timestamp,
    ) -> Result<BTreeMap<i64, Timestamp>, LookError> {
        let path = self.folder.join(FIRST_SEEN);
        let mut seen: FirstSeen = read(&path)?.unwrap_or_default();
        let known = seen.remove(database).unwrap_or_default();
        let noted: BTreeMap<i64, Timestamp> =
            indexes.iter().map(|index| (*index, known.get(index).copied().unwrap_or(now))).collect();
        if noted != known {
            seen.insert(database.to_owned(), noted.clone());
            self.write(&path, &seen)?;
        }
        Ok(noted)
    }

    fn path(&self, name: &str) -> Result<PathBuf, LookError> {
        let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if name.is_empty() || name.len() > NAME_CHARACTERS_MAX || !name.chars().all(fits) {
            return Err(LookError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("look-{name}.json")))
    }

    /// Whole or not at all.
    fn write<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), LookError> {
        let failed = |cause| LookError::File { path: shown(path), cause };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let mut draft = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
        let text = serde_json::to_vec(value).map_err(|cause| LookError::Malformed { path: shown(path), cause })?;
        draft.write_all(&text).map_err(failed)?;
        draft.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, LookError> {
    let failed = |cause| LookError::File { path: shown(path), cause };
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if metadata.len() > BYTES_MAX => {
            return Err(failed(std::io::Error::other(format!("larger than {BYTES_MAX} bytes"))));
        }
        Ok(_) => {}
    }
    let text = fs::read(path).map_err(failed)?;
    serde_json::from_slice(&text).map(Some).map_err(|cause| LookError::Malformed { path: shown(path), cause })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(second: i64) -> Look {
        Look { taken_at: Timestamp::from_second(second).unwrap(), databases: BTreeMap::new() }
    }

    #[test]
    fn looks_are_found_by_name_and_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let looks = Looks::of(folder.path());
        let now = Timestamp::from_second(10_000).unwrap();
        assert!(looks.named("before").unwrap_err().to_string().contains("--save before"));
        assert!(matches!(looks.aged(1, now), Err(LookError::TooYoung { .. })));
        for (name, second) in [("before", 5_000), ("later", 9_000), ("now", 9_990)] {
            looks.save(name, &look(second)).unwrap();
        }
        assert_eq!(looks.named("before").unwrap().taken_at.as_second(), 5_000);
        assert_eq!(looks.aged(600, now).unwrap().taken_at.as_second(), 9_000);
        assert!(matches!(looks.aged(6_000, now), Err(LookError::TooYoung { .. })));
        for name in ["", "../x", "A", &"x".repeat(65)] {
            assert!(matches!(looks.save(name, &look(1)), Err(LookError::Name(_))), "{name}");
        }
        fs::write(folder.path().join("stats/look-bad.json"), "{").unwrap();
        assert!(looks.named("bad").unwrap_err().to_string().contains("remove it"));
        assert_eq!(looks.aged(600, now).unwrap().taken_at.as_second(), 9_000);
    }

    #[test]
    fn an_index_is_known_since_it_was_first_seen() {
        let folder = tempfile::tempdir().unwrap();
        let looks = Looks::of(folder.path());
        let [first, second] = [1_000, 2_000].map(|second| Timestamp::from_second(second).unwrap());
        looks.note_indexes("a/1", &[7, 8], first).unwrap();
        looks.note_indexes("b/1", &[7], second).unwrap();
        let seen = looks.note_indexes("a/1", &[7, 9], second).unwrap();
        assert_eq!(seen, BTreeMap::from([(7, first), (9, second)]));
    }
}
