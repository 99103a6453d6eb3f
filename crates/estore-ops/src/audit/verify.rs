//! Looks whether the chain of seals is whole, whether every seal fits its rows, and whether none that was noted
//! elsewhere is missing.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Error, Transaction};

use super::anchor::Anchor;
use super::book::{Book, books};
use super::keys::Keys;
use super::seal::{Head, Seal};
use crate::backup::SignerKey;
use crate::roles::Service;

const SEALS: &str = include_str!("../../queries/audit/seals.sql");
const HEADS: &str = include_str!("../../queries/audit/heads.sql");
const NEWEST: &str = include_str!("../../queries/audit/newest.sql");
const POSITIONS: &str = include_str!("../../queries/audit/positions.sql");
const LET_GO: &str = include_str!("../../queries/audit/let_go.sql");
/// Seals that are looked at in one statement, with all their rows.
const SEALS_AT_A_TIME: i64 = 128;
/// Faults that are told; all are counted.
const TOLD_MAX: usize = 100;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every seal.
    Whole,
    /// The newest so many.
    Newest(i64),
}

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `chain`, `signature`, `rows` or `anchor`.
    pub kind: &'static str,
    /// What, for people: the table, the range, what it ought to be.
    pub what: String,
}

/// Rows that no seal holds yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Of which table.
    pub table: &'static str,
    /// How many; 100,000 stands for that many or more.
    pub rows: i64,
    /// When the oldest of them was written.
    pub since: Option<Timestamp>,
}

/// What a database's audit is like.
#[derive(Debug, Clone, Serialize)]
pub struct Audited {
    /// The database.
    pub database: &'static str,
    /// Seals that were looked at.
    pub seals: u64,
    /// Rows that they hold, and that were read.
    pub rows: u64,
    /// Seals whose rows a rule has let go, all or some of them.
    pub let_go: u64,
    /// The newest seal.
    pub head: Option<Head>,
    /// Rows that no seal holds yet.
    pub waiting: Vec<Waiting>,
    /// How many things do not fit.
    pub broken: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

impl Audited {
    fn note(&mut self, kind: &'static str, what: String) {
        self.broken += 1;
        if self.faults.len() < TOLD_MAX {
            self.faults.push(Fault { kind, what });
        }
    }
}

/// Looks at a database in one moment of it. `progress` hears how many seals of how many have been looked at.
///
/// # Errors
/// Those of the database. What does not fit is no error but a [`Fault`].
pub async fn verify(
    moment: &Transaction<'_>,
    service: Service,
    (signer, anchors): (&SignerKey, &[Anchor]),
    extent: Extent,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Audited, Error> {
    let newest = moment.query_opt(NEWEST, &[]).await?;
    let head = newest.map(|row| (row.get::<_, i64>(0), row.get::<_, Vec<u8>>(1)));
    let last = head.as_ref().map_or(0, |(number, _)| *number);
    let audited = Audited {
        database: service.name(),
        seals: 0,
        rows: 0,
        let_go: 0,
        head: head.map(|(number, head)| Head::of(number, &head)),
        waiting: waiting(moment, service).await?,
        broken: 0,
        faults: Vec::new(),
    };
    let let_go = moment.query(LET_GO, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let first = match extent {
        Extent::Whole => 1,
        Extent::Newest(count) => (last - count + 1).max(1),
    };
    let is_whole = first == 1;
    let (previous, positions) = (Vec::new(), HashMap::new());
    let keys = Keys::read(moment, signer).await?;
    let mut look = Look { moment, service, keys, let_go, audited, is_whole, previous, positions };
    look.breaks();
    look.begin(first).await?;
    let total = (last - first + 1).max(0).unsigned_abs();
    let mut next = first;
    while next <= last {
        next = look.some(next).await?;
        progress((next - first).unsigned_abs().min(total), total);
    }
    look.anchors(anchors).await?;
    Ok(look.audited)
}

async fn waiting(moment: &Transaction<'_>, service: Service) -> Result<Vec<Waiting>, Error> {
    let books = books(service);
    let names: Vec<&str> = books.iter().map(|book| book.name).collect();
    let mut found = Vec::new();
    for (book, row) in books.iter().zip(&moment.query(POSITIONS, &[&names]).await?) {
        let position: i64 = row.get(1);
        let row = moment.query_one(book.waiting, &[&position]).await?;
        found.push(Waiting { table: book.name, rows: row.get(0), since: row.get(1) });
    }
    Ok(found)
}

struct Look<'a> {
    moment: &'a Transaction<'a>,
    service: Service,
    keys: Keys,
    /// Until when rows of a table were let go.
    let_go: HashMap<String, Timestamp>,
    audited: Audited,
    is_whole: bool,
    /// The head of the seal before.
    previous: Vec<u8>,
    /// Up to where each table was sealed before; a table is not in it before its first seal.
    positions: HashMap<String, i64>,
}

impl Look<'_> {
    /// Whether each key that follows the trusted one was named by the one before it.
    fn breaks(&mut self) {
        for number in &self.keys.breaks {
            let what = format!("another key signs from seal {number} on, to which the one before it did not hand over");
            self.audited.note("signature", what);
        }
    }

    /// Where a look begins in the middle, the seal before is believed as to its head.
    async fn begin(&mut self, first: i64) -> Result<(), Error> {
        if first > 1
            && let Some(row) = self.moment.query(SEALS, &[&(first - 1), &1_i64]).await?.first()
        {
            self.previous = Seal::of(row).head;
        }
        Ok(())
    }

    /// Looks at some seals from number `next` on; the number after them.
    async fn some(&mut self, next: i64) -> Result<i64, Error> {
        let rows = self.moment.query(SEALS, &[&next, &SEALS_AT_A_TIME]).await?;
        let seals: Vec<Seal> = rows.iter().map(Seal::of).collect();
        let mut expected = next;
        for seal in &seals {
            self.link(seal, expected);
            expected = seal.number + 1;
        }
        self.audited.seals += seals.len() as u64;
        for book in books(self.service) {
            self.rows(book, &seals).await?;
        }
        // None there: the newest was looked at.
        Ok(if seals.is_empty() { i64::MAX } else { expected })
    }

    /// Whether a seal follows the one before.
    fn link(&mut self, seal: &Seal, expected: i64) {
        let number = seal.number;
        if number != expected {
            self.audited.note("chain", format!("seals {expected} to {} are gone", number - 1));
        } else if seal.head_after(self.service, &self.previous) != seal.head {
            let what = format!("seal {number} was altered, or the one before it: it does not follow from that one");
            self.audited.note("chain", what);
        }
        let signer = self.keys.of(number);
        if !seal.is_signed_by(signer) {
            let what = format!("seal {number} is not signed by {signer}");
            self.audited.note("signature", what);
        }
        self.previous.clone_from(&seal.head);
        let range = &seal.range;
        if range.kind != "rows" {
            return;
        }
        let before = self.positions.insert(range.table.clone(), range.last);
        // The first seal of a table holds all that was there before; a look at the newest does not see that one.
        let begins_at = before.or(self.is_whole.then_some(0)).unwrap_or(range.after);
        if begins_at != range.after {
            let what = format!(
                "{}: positions {begins_at} to {} are in no seal before seal {number}",
                range.table, range.after
            );
            self.audited.note("chain", what);
        }
    }

    /// Whether the rows of a table are those that were sealed.
    async fn rows(&mut self, book: &Book, seals: &[Seal]) -> Result<(), Error> {
        let of_book = |seal: &&Seal| seal.range.table == book.name && seal.range.kind == "rows";
        let mine: Vec<&Seal> = seals.iter().filter(of_book).collect();
        let (afters, lasts): (Vec<i64>, Vec<i64>) = mine.iter().map(|seal| (seal.range.after, seal.range.last)).unzip();
        if mine.is_empty() {
            return Ok(());
        }
        let found = self.moment.query(book.digests, &[&afters, &lasts]).await?;
        for (seal, row) in mine.into_iter().zip(&found) {
            let (rows, digest): (i64, Vec<u8>) = (row.get(0), row.get(1));
            self.audited.rows += rows.unsigned_abs();
            let range = &seal.range;
            let until = self.let_go.get(book.name);
            if until.is_some_and(|until| range.rows_from < *until && (range.rows_until >= *until || rows == 0)) {
                self.audited.let_go += 1;
            } else if rows != range.rows || digest != range.digest {
                let what = differs(book, seal, rows);
                self.audited.note("rows", what);
            }
        }
        Ok(())
    }

    /// Whether the seals that were noted elsewhere are there.
    async fn anchors(&mut self, anchors: &[Anchor]) -> Result<(), Error> {
        let anchors: Vec<&Anchor> = anchors.iter().filter(|anchor| anchor.service == self.service).collect();
        let numbers: Vec<i64> = anchors.iter().map(|anchor| anchor.head.number).collect();
        let rows = self.moment.query(HEADS, &[&numbers]).await?;
        let heads: HashMap<i64, Vec<u8>> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        for Anchor { noted_by, head, .. } in anchors {
            let number = head.number;
            match heads.get(&number) {
                Some(found) if hex::encode(found) == head.head => {}
                Some(_) => self.audited.note("anchor", format!("seal {number} is not the one that {noted_by} noted")),
                None => {
                    let what = format!("seal {number}, which {noted_by} noted, is gone: the end of the chain was cut");
                    self.audited.note("anchor", what);
                }
            }
        }
        Ok(())
    }
}

/// How rows differ from their seal.
fn differs(book: &Book, seal: &Seal, rows: i64) -> String {
    let Book { name, unit, .. } = book;
    let (number, range) = (seal.number, &seal.range);
    let (from, until) = (range.rows_from, range.rows_until);
    let how = match rows - range.rows {
        0 => "one or more of its rows were altered".to_owned(),
        less if less < 0 => format!("{} of its {} rows are gone", -less, range.rows),
        more => format!("{more} rows were put among its {}", range.rows),
    };
    format!("{name}: {how} ({unit} {} to {}, written {from} to {until}, seal {number})", range.after + 1, range.last)
}
