//! Which indexes are in the way, which are missing, and on what evidence.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::index::{ForeignKey, Index};
use super::table::Table;

/// Days that an index must have been watched without one scan before it is called unused: month's ends are in it.
pub const EVIDENCE_DAYS_MIN: u32 = 35;
/// Rows of a table from which on reading all of it is worth a word.
const SCANNED_ROWS_MIN: i64 = 10_000;
/// How often that must have happened.
const SCANS_MIN: i64 = 10;

/// What is advised, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A failed build left it: it costs writes and serves nobody.
    Invalid,
    /// Another one does all that it does.
    Duplicate,
    /// Nobody has read by it in the evidence's time.
    Unused,
    /// Another one begins with its columns; to be looked at.
    Prefix,
    /// No index begins with a foreign key's columns.
    ForeignKeyWithoutIndex,
    /// A large table is read from end to end again and again.
    ReadThrough,
}

/// A piece of advice.
#[derive(Debug, Clone, Serialize)]
pub struct Advice {
    /// What.
    pub kind: Kind,
    /// The table.
    pub table: String,
    /// The index, where it is about one.
    pub index: Option<String>,
    /// Why.
    pub why: String,
    /// Since when what is said of use was counted; `None` where it follows from definitions alone.
    pub since: Option<Timestamp>,
    /// Bytes that would be free.
    pub bytes: i64,
    /// What to do.
    pub mend: String,
}

/// What advice rests on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The indexes.
    pub indexes: &'a [Index],
    /// The tables.
    pub tables: &'a [Table],
    /// Foreign keys without an index.
    pub foreign_keys: &'a [ForeignKey],
    /// Since when this database's statistics count.
    pub counted_since: Timestamp,
    /// Since when each index is known.
    pub first_seen: &'a BTreeMap<i64, Timestamp>,
    /// Now, by the server's clock.
    pub now: Timestamp,
    /// Days of evidence that are asked for.
    pub days_min: u32,
}

/// Advice, and how many unread indexes have not been watched for long enough.
#[derive(Debug, Clone, Serialize)]
pub struct Advised {
    /// The advice.
    pub advice: Vec<Advice>,
    /// Indexes that nobody has read by, watched too shortly.
    pub unread_too_young: usize,
    /// Days that are asked for.
    pub evidence_days_min: u32,
}

/// Advice on the indexes of a database. No index is called dispensable that a constraint, the replication or uniqueness
/// needs, and no part of a partitioned one.
#[must_use]
pub fn advise(evidence: &Evidence<'_>) -> Advised {
    let mut advice: Vec<Advice> = evidence.indexes.iter().filter_map(invalid).collect();
    let mut gone: Vec<i64> = Vec::new();
    for (spare, kept) in pairs(evidence.indexes).filter_map(|(one, other)| duplicate(one, other)) {
        if !gone.contains(&spare.oid) && !gone.contains(&kept.oid) {
            gone.push(spare.oid);
            advice.push(about(Kind::Duplicate, spare, format!("{} does all that it does", kept.name), None));
        }
    }
    let left = || evidence.indexes.iter().filter(|index| !gone.contains(&index.oid) && is_dispensable(index));
    let unread: Vec<&Index> = left().filter(|index| index.scans == 0).collect();
    let (long, short): (Vec<&Index>, Vec<&Index>) =
        unread.into_iter().partition(|index| evidence.days_of(index) >= i64::from(evidence.days_min));
    for index in long {
        let since = evidence.since(index);
        let why = format!("no scan in {} days; scans on standbys do not count here", evidence.days_of(index));
        gone.push(index.oid);
        advice.push(about(Kind::Unused, index, why, Some(since)));
    }
    for (short, long) in pairs(evidence.indexes).filter(|(short, long)| is_prefix(short, long)) {
        if is_dispensable(short) && !gone.contains(&short.oid) && !gone.contains(&long.oid) {
            gone.push(short.oid);
            let why = format!("{} begins with the same columns; look whether it is good enough", long.name);
            advice.push(about(Kind::Prefix, short, why, None));
        }
    }
    advice.extend(evidence.foreign_keys.iter().map(without_index));
    advice.extend(evidence.tables.iter().filter_map(|table| read_through(table, evidence.counted_since)));
    Advised { advice, unread_too_young: short.len(), evidence_days_min: evidence.days_min }
}

impl Evidence<'_> {
    /// From when on an unread index would have been noticed.
    fn since(&self, index: &Index) -> Timestamp {
        self.counted_since.max(self.first_seen.get(&index.oid).copied().unwrap_or(self.now))
    }

    fn days_of(&self, index: &Index) -> i64 {
        (self.now.as_second() - self.since(index).as_second()) / 86_400
    }
}

fn about(kind: Kind, index: &Index, why: String, since: Option<Timestamp>) -> Advice {
    Advice {
        kind,
        table: index.table_name.clone(),
        index: Some(index.name.clone()),
        why,
        since,
        bytes: index.bytes,
        mend: format!("DROP INDEX CONCURRENTLY {}", index.name),
    }
}

/// Whether it may go as far as anything but scans is concerned.
fn is_dispensable(index: &Index) -> bool {
    let bound = index.is_unique || index.is_primary || index.is_exclusion || index.is_replica_identity;
    // What is not known does not count for it.
    !bound && !index.has_constraint && !index.is_partition && index.is_valid && index.definition.is_some()
}

fn pairs(indexes: &[Index]) -> impl Iterator<Item = (&Index, &Index)> {
    indexes.iter().flat_map(move |one| indexes.iter().map(move |other| (one, other)))
}

/// The one to go and the one to stay.
fn duplicate<'a>(spare: &'a Index, kept: &'a Index) -> Option<(&'a Index, &'a Index)> {
    let same = spare.oid != kept.oid
        && spare.table_name == kept.table_name
        && spare.method == kept.method
        && spare.keys.is_some()
        && spare.keys == kept.keys
        && spare.included == kept.included
        && spare.predicate == kept.predicate;
    // Of two that are alike the younger one goes.
    let younger = !is_dispensable(kept) || spare.oid > kept.oid;
    (same && kept.is_valid && is_dispensable(spare) && younger).then_some((spare, kept))
}

fn is_prefix(short: &Index, long: &Index) -> bool {
    let (Some(few), Some(many)) = (&short.keys, &long.keys) else { return false };
    let (Some(carried), Some(carrying)) = (&short.included, &long.included) else { return false };
    short.table_name == long.table_name
        && short.method == "btree"
        && long.method == "btree"
        && long.is_valid
        && short.predicate == long.predicate
        && few.len() < many.len()
        && many.starts_with(few)
        && carried
            .iter()
            .all(|column| carrying.contains(column) || many.iter().any(|key| key.split(' ').next() == Some(column)))
}

fn invalid(index: &Index) -> Option<Advice> {
    if (index.is_valid && index.is_ready) || index.is_being_built {
        return None;
    }
    let why = "a build that failed left it; scans do not use it".to_owned();
    let mut advice = about(Kind::Invalid, index, why, None);
    let leftover = ["_ccnew", "_ccold"].iter().any(|mark| index.name.contains(mark));
    if !leftover {
        advice.mend = format!("REINDEX INDEX CONCURRENTLY {}", index.name);
    }
    Some(advice)
}

fn without_index(key: &ForeignKey) -> Advice {
    let columns = key.columns.join(", ");
    Advice {
        kind: Kind::ForeignKeyWithoutIndex,
        table: key.table_name.clone(),
        index: None,
        why: format!(
            "{} ({columns}): each row of {} that is removed reads {} rows",
            key.name, key.referenced, key.rows_alive
        ),
        since: None,
        bytes: 0,
        mend: format!("where such rows are removed: CREATE INDEX CONCURRENTLY ON {} ({columns})", key.table_name),
    }
}

fn read_through(table: &Table, since: Timestamp) -> Option<Advice> {
    let rows = table.rows_of_scans / table.scans_of_all.max(1);
    (table.scans_of_all >= SCANS_MIN && rows >= SCANNED_ROWS_MIN && table.rows_alive >= SCANNED_ROWS_MIN).then(|| {
        Advice {
            kind: Kind::ReadThrough,
            table: table.name.clone(),
            index: None,
            why: format!("{} times read from end to end, {rows} rows each", table.scans_of_all),
            since: Some(since),
            bytes: 0,
            mend: "find the statement in the ranking and look at its plan".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests;
