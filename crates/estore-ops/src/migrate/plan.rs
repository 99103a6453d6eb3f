//! What a command will do, decided before anything is done.

use estore_kit::migration::Migration;
use sha2::{Digest, Sha256};

use super::error::MigrateError;
use super::ledger::{Entry, State};
use super::progress::Direction;
use super::script;

/// How far back to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// The newest so many.
    Steps(usize),
    /// Everything newer than this version; 0 takes back everything.
    To(i64),
}

/// SHA-256 of a text, in hex.
pub(crate) fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// A migration as the ledger will hold it.
pub(crate) fn entry_of(migration: &Migration) -> Entry {
    Entry {
        version: migration.version,
        name: migration.name.to_owned(),
        up_checksum: checksum(migration.up),
        down_checksum: checksum(migration.down),
        down: migration.down.to_owned(),
        applied_at: jiff::Timestamp::UNIX_EPOCH,
        duration_ms: 0,
        state: State::Applied,
    }
}

/// Refuses a list that cannot be run safely.
pub(crate) fn validate(migrations: &[Migration]) -> Result<(), MigrateError> {
    let mut previous = 0;
    for migration in migrations {
        let invalid = |reason: String| {
            Err(MigrateError::Invalid { version: migration.version, name: migration.name.to_owned(), reason })
        };
        if !(190_001_010_000..=999_912_312_359).contains(&migration.version) {
            return invalid("its version is not YYYYMMDDHHMM".to_owned());
        }
        if migration.version <= previous {
            return invalid(format!("its version does not come after {previous}"));
        }
        previous = migration.version;
        for (direction, sql) in [(Direction::Up, migration.up), (Direction::Down, migration.down)] {
            let count = script::statements(sql).len();
            if count == 0 {
                return invalid(format!("its {direction}.sql has no statement"));
            }
            if script::is_no_transaction(sql) && count > 1 {
                return invalid(format!(
                    "its {direction}.sql is -- no-transaction and has {count} statements, not one"
                ));
            }
            if let Some(word) = script::transaction_command(sql) {
                return invalid(format!("its {direction}.sql says {word}; the runner opens and ends transactions"));
            }
        }
    }
    Ok(())
}

/// Compares what is applied with what this build has.
pub(crate) fn verify(migrations: &[Migration], entries: &[Entry]) -> Result<(), MigrateError> {
    let newest_known = migrations.last().map_or(0, |migration| migration.version);
    for entry in entries {
        let Some(known) = migrations.iter().find(|migration| migration.version == entry.version) else {
            // Newer than this build: an older build keeps working on an expanded schema.
            if entry.version > newest_known {
                continue;
            }
            return Err(MigrateError::Missing { version: entry.version, name: entry.name.clone() });
        };
        if entry.state == State::Applying {
            // It does not stand yet, so a mended text may finish it.
            continue;
        }
        let altered =
            [(Direction::Up, &entry.up_checksum, known.up), (Direction::Down, &entry.down_checksum, known.down)];
        if let Some((direction, ..)) = altered.into_iter().find(|(_, applied, text)| **applied != checksum(text)) {
            return Err(MigrateError::Altered { version: entry.version, name: entry.name.clone(), direction });
        }
    }
    Ok(())
}

/// The migrations to apply, in order.
pub(crate) fn pending<'a>(
    migrations: &'a [Migration],
    entries: &[Entry],
    to: Option<i64>,
) -> Result<Vec<&'a Migration>, MigrateError> {
    if let Some(to) = to.filter(|to| !migrations.iter().any(|migration| migration.version == *to)) {
        return Err(MigrateError::UnknownVersion(to));
    }
    let applied = |version| entries.iter().any(|entry| entry.version == version && entry.state == State::Applied);
    let newest = entries.iter().filter(|entry| entry.state == State::Applied).map(|entry| entry.version).max();
    let mut todo = Vec::new();
    for migration in migrations.iter().filter(|migration| to.is_none_or(|to| migration.version <= to)) {
        if applied(migration.version) {
            continue;
        }
        if let Some(newest) = newest.filter(|newest| *newest > migration.version) {
            return Err(MigrateError::OutOfOrder {
                version: migration.version,
                name: migration.name.to_owned(),
                newest,
            });
        }
        todo.push(migration);
    }
    Ok(todo)
}

/// The entries to take back, newest first.
pub(crate) fn backwards(entries: &[Entry], back: Back, destructive: bool) -> Result<Vec<Entry>, MigrateError> {
    if let Back::To(to) = back
        && to != 0
        && !entries.iter().any(|entry| entry.version == to)
    {
        return Err(MigrateError::UnknownVersion(to));
    }
    let newest_first = entries.iter().rev().cloned();
    let todo: Vec<Entry> = match back {
        Back::Steps(steps) => newest_first.take(steps).collect(),
        Back::To(to) => newest_first.filter(|entry| entry.version > to).collect(),
    };
    let lost: Vec<String> = todo
        .iter()
        .filter_map(|entry| Some(format!("  {} {}: {}", entry.version, entry.name, script::destroys(&entry.down)?)))
        .collect();
    if !lost.is_empty() && !destructive {
        return Err(MigrateError::Destructive { lost });
    }
    Ok(todo)
}
