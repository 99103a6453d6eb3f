//! Seals the rows of a database as they come, a batch at a time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use estore_kit::db::{Db, DbError};
use jiff::Timestamp;
use tokio_postgres::Transaction;

use super::book::{Book, books};
use super::seal::{Chain, Range, Seal, is_signed};
use crate::backup::{SignerKey, SigningKey};
use crate::postgres::urgency::stay_beside;
use crate::roles::Service;

const HOLDERS: &str = include_str!("../../queries/audit/holders.sql");
const TAKE_TURN: &str = include_str!("../../queries/audit/take_turn.sql");
const NEWEST: &str = include_str!("../../queries/audit/newest.sql");
const POSITIONS: &str = include_str!("../../queries/audit/positions.sql");
const INSERT_SEALS: &str = include_str!("../../queries/audit/insert_seals.sql");
const NOTE_RULES: &str = include_str!("../../queries/audit/note_rules.sql");
const MAKE_PARTITIONS: &str = include_str!("../../queries/audit/make_partitions.sql");
/// Rows of a seal: what a look at a broken one can say is that one of so many was changed.
const SEAL_ROWS_MAX: i64 = 256;
/// Rows of a table that are sealed in one transaction: some hundredths of a second, in which it keeps a processor busy.
const ROUND_ROWS_MAX: i64 = 2 * 1024;
/// One sealer at a time and database holds this advisory lock.
pub(super) const TURN_KEY: i64 = 0x4553_544f_5345_414c;
/// Partitions of the log that are made ahead, in months.
const MONTHS_AHEAD: i32 = 3;

/// What a round brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sealed {
    /// Rows that are sealed now and were not before.
    pub rows: u64,
    /// Whether more could be sealed at once.
    pub has_more: bool,
    /// Whether transactions are waited for that may still add rows among those to be sealed.
    pub waits: bool,
    /// Whether somebody else had the turn to seal.
    pub is_others_turn: bool,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Somebody with another key sealed last; going on behind it would hide that.
    #[error("the newest seal, number {number}, is not signed by {signer}")]
    OtherKey {
        /// The seal.
        number: i64,
        /// Who would have gone on.
        signer: SignerKey,
    },
    /// The database; what was not committed is sealed by the next round.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<tokio_postgres::Error> for SealError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Seals one database. Several may try; one does it at a time.
#[derive(Debug)]
pub struct Sealer {
    service: Service,
    db: Db,
    key: Arc<SigningKey>,
    horizon: Option<Horizon>,
}

/// Up to where rows can be sealed, once those who wrote meanwhile have ended. Ids are given out before their rows are
/// seen, and rows of lower ids may come after those of higher ones: never after all who were under way have ended.
#[derive(Debug)]
struct Horizon {
    ends: HashMap<&'static str, i64>,
    holders: HashSet<String>,
}

impl Sealer {
    /// A sealer that signs with this key. The pool connects as the service's writer.
    #[must_use]
    pub fn new(service: Service, db: Db, key: Arc<SigningKey>) -> Self {
        Self { service, db, key, horizon: None }
    }

    /// Signs with this key from now on.
    pub fn sign_with(&mut self, key: Arc<SigningKey>) {
        self.key = key;
    }

    /// Seals what can be sealed now.
    ///
    /// # Errors
    /// [`SealError::OtherKey`], and those of the database.
    pub async fn round(&mut self) -> Result<Sealed, SealError> {
        let mut client = self.db.client().await?;
        stay_beside(&client).await;
        let horizon = match self.horizon.take() {
            Some(horizon) => horizon,
            None => note(&client, self.service).await?,
        };
        if !horizon.holders.is_empty() && !holders(&client).await?.is_disjoint(&horizon.holders) {
            self.horizon = Some(horizon);
            return Ok(Sealed { waits: true, ..Sealed::default() });
        }
        let transaction = client.transaction().await?;
        let sealed = self.seal(&transaction, &horizon).await?;
        transaction.commit().await?;
        if sealed.has_more {
            self.horizon = Some(horizon);
        }
        Ok(sealed)
    }

    async fn seal(&self, transaction: &Transaction<'_>, horizon: &Horizon) -> Result<Sealed, SealError> {
        let turn = transaction.query_one(TAKE_TURN, &[&TURN_KEY]).await?;
        if !turn.get::<_, bool>(0) {
            return Ok(Sealed { is_others_turn: true, ..Sealed::default() });
        }
        let sealed_at: Timestamp = turn.get(1);
        let books = books(self.service);
        let names: Vec<&str> = books.iter().map(|book| book.name).collect();
        let positions = transaction.query(POSITIONS, &[&names]).await?;
        let newest = transaction.query_opt(NEWEST, &[]).await?;
        let (number, head): (i64, Vec<u8>) = newest.as_ref().map_or((0, Vec::new()), |row| (row.get(0), row.get(1)));
        let signer = self.key.public();
        if newest.is_some_and(|row| !is_signed(&signer, &head, row.get(2))) {
            return Err(SealError::OtherKey { number, signer });
        }
        let mut chain = Chain { service: self.service, number, head, key: &self.key };
        let (mut seals, mut sealed) = (Vec::new(), Sealed::default());
        for (book, position) in books.iter().zip(&positions) {
            let end = horizon.ends.get(book.name).copied().unwrap_or_default();
            let ranges = ranges(transaction, book, position.get(1), end).await?;
            let rows: i64 = ranges.iter().map(|range| range.rows).sum();
            sealed.rows += rows.unsigned_abs();
            sealed.has_more |= rows >= ROUND_ROWS_MAX;
            seals.extend(ranges.into_iter().map(|range| chain.seal(range, sealed_at)));
        }
        insert(transaction, &seals).await?;
        Ok(sealed)
    }

    /// Writes down what of policies, rights, triggers and roles has changed since it was last written.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note_rules(&self) -> Result<(), DbError> {
        self.db.rows(NOTE_RULES, &[]).await.map(drop)
    }

    /// Makes the partitions of the log for the coming months.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn make_partitions(&self) -> Result<(), DbError> {
        self.db.rows(MAKE_PARTITIONS, &[&MONTHS_AHEAD]).await.map(drop)
    }
}

/// How far rows were begun, and after that, who may still add some.
async fn note(client: &tokio_postgres::Client, service: Service) -> Result<Horizon, DbError> {
    let mut ends = HashMap::new();
    for book in books(service) {
        ends.insert(book.name, client.query_one(book.end, &[]).await?.get(0));
    }
    Ok(Horizon { ends, holders: holders(client).await? })
}

async fn holders(client: &tokio_postgres::Client) -> Result<HashSet<String>, DbError> {
    let held: Vec<String> = client.query_one(HOLDERS, &[]).await?.get(0);
    Ok(held.into_iter().collect())
}

/// The next batches of a table.
async fn ranges(transaction: &Transaction<'_>, book: &Book, after: i64, end: i64) -> Result<Vec<Range>, DbError> {
    let cuts = transaction.query(book.cuts, &[&after, &end, &SEAL_ROWS_MAX, &ROUND_ROWS_MAX]).await?;
    let lasts: Vec<i64> = cuts.iter().map(|row| row.get(0)).collect();
    let afters: Vec<i64> = std::iter::once(after).chain(lasts.iter().copied()).take(lasts.len()).collect();
    let digests = transaction.query(book.digests, &[&afters, &lasts]).await?;
    let range = |((after, last), row): ((&i64, &i64), &tokio_postgres::Row)| Range {
        table: book.name.to_owned(),
        kind: "rows".to_owned(),
        after: *after,
        last: *last,
        rows: row.get(0),
        digest: row.get(1),
        rows_from: row.get::<_, Option<Timestamp>>(2).unwrap_or_default(),
        rows_until: row.get::<_, Option<Timestamp>>(3).unwrap_or_default(),
    };
    Ok(afters.iter().zip(&lasts).zip(&digests).map(range).collect())
}

/// Appends the seals.
pub(super) async fn insert(transaction: &Transaction<'_>, seals: &[Seal]) -> Result<(), tokio_postgres::Error> {
    if seals.is_empty() {
        return Ok(());
    }
    fn all<'a, T>(seals: &'a [Seal], part: impl Fn(&'a Seal) -> T) -> Vec<T> {
        seals.iter().map(part).collect()
    }
    let numbers = all(seals, |seal| seal.number);
    let (tables, kinds) = (all(seals, |seal| seal.range.table.as_str()), all(seals, |seal| seal.range.kind.as_str()));
    let (afters, lasts) = (all(seals, |seal| seal.range.after), all(seals, |seal| seal.range.last));
    let (rows, digests) = (all(seals, |seal| seal.range.rows), all(seals, |seal| seal.range.digest.as_slice()));
    let (from, until) = (all(seals, |seal| seal.range.rows_from), all(seals, |seal| seal.range.rows_until));
    let sealed_at = all(seals, |seal| seal.sealed_at);
    let (heads, signatures) = (all(seals, |seal| seal.head.as_slice()), all(seals, |seal| seal.signature.as_slice()));
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 12] =
        [&numbers, &tables, &kinds, &afters, &lasts, &rows, &digests, &from, &until, &sealed_at, &heads, &signatures];
    transaction.execute(INSERT_SEALS, &params).await?;
    Ok(())
}
