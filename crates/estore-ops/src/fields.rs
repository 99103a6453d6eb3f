//! Going through all sealed fields of a database: wrapping their data keys anew, sealing what is in plain, counting.
//!
//! A column is read a page at a time in the order of its keys, and written only where something changes. No statement waits
//! for a row that a request holds: such rows are passed over, and had in the next round.

use std::collections::BTreeMap;
use std::time::Duration;

use estore_kit::field::{Fields, SealError, SealedColumn, Sealing};
use serde_json::Value;
use tokio_postgres::{Client, GenericClient};

/// Rows that one statement reads.
const PAGE_ROWS: i64 = 2_000;
/// Rows that one statement writes: it holds their locks for some milliseconds.
const BATCH_ROWS: usize = 250;
/// How many unreadable rows are named; all are counted.
const NAMED_MAX: usize = 20;
/// What is left to others before the next round.
const ROUND_PAUSE: Duration = Duration::from_millis(50);
/// Rounds through a column after which rows that are always held are reported instead.
const ROUNDS_MAX: usize = 20;
/// One runner at a time and database holds this advisory lock: the ASCII of `fieldkey`.
const TURN_KEY: i64 = 0x6669_656c_646b_6579;

/// What is done with each field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Its data key is wrapped by the newest key.
    Rewrap,
    /// It is sealed where it should be and is not.
    Seal,
}

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Rows looked at.
    pub rows: u64,
    /// Rows written.
    pub changed: u64,
    /// Rows that are still to be written, because others held or changed them meanwhile.
    pub left: u64,
    /// Fields by the name of the key that their data key is wrapped by.
    pub fields: BTreeMap<String, u64>,
    /// Rows with something personal in plain.
    pub open: u64,
    /// Rows that cannot be read, such as those whose key is missing.
    pub unreadable: u64,
    /// The first of the last two kinds, described.
    pub named: Vec<String>,
}

impl Found {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.changed += other.changed;
        self.left += other.left;
        self.open += other.open;
        self.unreadable += other.unreadable;
        for (key, count) in other.fields {
            *self.fields.entry(key).or_default() += count;
        }
        self.named.extend(other.named);
        self.named.truncate(NAMED_MAX);
    }

    fn name(&mut self, what: String) {
        if self.named.len() < NAMED_MAX {
            self.named.push(what);
        }
    }
}

/// Takes the turn of whoever goes through the fields of a database; `false` where another has it. It ends with the connection.
///
/// # Errors
/// When the database does not work.
pub async fn take_turn(client: &Client) -> Result<bool, tokio_postgres::Error> {
    Ok(client.query_one(include_str!("../queries/take_field_turn.sql"), &[&TURN_KEY]).await?.get(0))
}

/// About how many rows a table has.
///
/// # Errors
/// When the database does not work.
pub async fn rows_about(client: &Client, column: &SealedColumn) -> Result<u64, tokio_postgres::Error> {
    let rows: i64 = client.query_one(include_str!("../queries/estimate_rows.sql"), &[&column.table]).await?.get(0);
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// Does the work on a column until a round finds nothing left to do. `hear` is told of the rows of each page.
///
/// # Errors
/// When the database does not work; what was written stands.
pub async fn work_through(
    client: &Client,
    column: &SealedColumn,
    (fields, work): (&Fields, Work),
    hear: &(dyn Fn(u64) + Sync),
) -> Result<Found, tokio_postgres::Error> {
    let mut found = round(client, column, (fields, work), hear).await?;
    let mut changed = found.changed;
    // Once more, for what was written beside us under the old key, and for what others held.
    for _ in 1..ROUNDS_MAX {
        if found.changed == 0 && found.left == 0 {
            break;
        }
        tokio::time::sleep(ROUND_PAUSE).await;
        found = round(client, column, (fields, work), &|_| {}).await?;
        changed += found.changed;
    }
    Ok(Found { changed, ..found })
}

async fn round(
    client: &Client,
    column: &SealedColumn,
    (fields, work): (&Fields, Work),
    hear: &(dyn Fn(u64) + Sync),
) -> Result<Found, tokio_postgres::Error> {
    let mut found = Found::default();
    let mut after = column.before_first.to_owned();
    while let Some(page) = Page::read(client, column, &after).await? {
        found.rows += page.rows;
        let mut batch = Batch::default();
        for one in page.texts {
            let new = match work {
                Work::Rewrap => fields.rewrap(&one.text, column.place(&one.row)),
                Work::Seal => sealed(fields, column, &one),
            };
            match new {
                Ok(Some(new)) => batch.push(one, new),
                Ok(None) => count(&mut found, &one.text),
                Err(error) => note_unreadable(&mut found, column, &one, &error),
            }
        }
        batch.write(client, column, &mut found).await?;
        hear(page.rows);
        after = page.last;
    }
    Ok(found)
}

/// Counts the fields of a column by key, and what should be sealed and is not; keys that the ring does not have are named.
///
/// # Errors
/// When the database does not work.
pub async fn look_through<C: GenericClient>(
    client: &C,
    column: &SealedColumn,
    fields: &Fields,
    hear: &(dyn Fn(u64) + Sync),
) -> Result<Found, tokio_postgres::Error> {
    let mut found = Found::default();
    let mut after = column.before_first.to_owned();
    while let Some(page) = Page::read(client, column, &after).await? {
        found.rows += page.rows;
        for one in page.texts {
            count(&mut found, &one.text);
            let missing = Fields::keys_in(&one.text).find(|key| !fields.ring().has(key));
            if let Some(key) = missing {
                found.unreadable += 1;
                let SealedColumn { table, column, .. } = column;
                found.name(format!(
                    "{table} {}: {column} is sealed under the key {key}, which the ring does not have",
                    one.key
                ));
            }
            if is_open(fields, column, &one.text) {
                found.open += 1;
                let SealedColumn { table, column, .. } = column;
                found.name(format!(
                    "{table} {}: {column} has something personal in plain; run `estore keys seal`",
                    one.key
                ));
            }
        }
        hear(page.rows);
        after = page.last;
    }
    Ok(found)
}

fn count(found: &mut Found, text: &str) {
    for key in Fields::keys_in(text) {
        *found.fields.entry(key.to_owned()).or_default() += 1;
    }
}

fn note_unreadable(found: &mut Found, column: &SealedColumn, one: &Text, error: &SealError) {
    count(found, &one.text);
    found.unreadable += 1;
    found.name(format!("{} {}: {error}", column.table, one.key));
}

fn is_open(fields: &Fields, column: &SealedColumn, text: &str) -> bool {
    match column.sealing {
        Sealing::AsItCame => false,
        Sealing::Whole => !text.is_empty() && Fields::keys_in(text).next().is_none(),
        Sealing::Leaves(pointer) => {
            let document: Option<Value> = serde_json::from_str(text).ok();
            document.as_ref().and_then(|all| all.pointer(pointer)).is_some_and(|part| fields.has_open_leaves(part))
        }
    }
}

/// The column's text with what is personal sealed; none where nothing is to be.
fn sealed(fields: &Fields, column: &SealedColumn, one: &Text) -> Result<Option<String>, SealError> {
    if !is_open(fields, column, &one.text) {
        return Ok(None);
    }
    let Sealing::Leaves(pointer) = column.sealing else {
        return fields.seal_text(&one.text, column.place(&one.row)).map(Some);
    };
    let Ok(mut document) = serde_json::from_str::<Value>(&one.text) else { return Ok(None) };
    let Some(part) = document.pointer_mut(pointer).and_then(Value::as_object_mut) else { return Ok(None) };
    let is_changed = fields.seal_leaves(part, column.place(&one.row))?;
    Ok(is_changed.then(|| document.to_string()))
}

/// What stands in one row.
struct Text {
    key: String,
    row: String,
    text: String,
}

struct Page {
    rows: u64,
    last: String,
    texts: Vec<Text>,
}

impl Page {
    async fn read<C: GenericClient>(
        client: &C,
        column: &SealedColumn,
        after: &str,
    ) -> Result<Option<Self>, tokio_postgres::Error> {
        let rows = client.query(column.read, &[&after, &PAGE_ROWS]).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let text = |row: &tokio_postgres::Row| {
            let (key, row, text): (String, Option<String>, Option<String>) = (row.get(0), row.get(1), row.get(2));
            Some(Text { key, row: row?, text: text? })
        };
        Ok(Some(Self { rows: rows.len() as u64, last: last.get(0), texts: rows.iter().filter_map(text).collect() }))
    }
}

/// Rows to be written: parallel lists.
#[derive(Default)]
struct Batch {
    keys: Vec<String>,
    old: Vec<String>,
    new: Vec<String>,
}

impl Batch {
    fn push(&mut self, was: Text, new: String) {
        self.keys.push(was.key);
        self.old.push(was.text);
        self.new.push(new);
    }

    async fn write(
        self,
        client: &Client,
        column: &SealedColumn,
        found: &mut Found,
    ) -> Result<(), tokio_postgres::Error> {
        let parts = self.keys.chunks(BATCH_ROWS).zip(self.old.chunks(BATCH_ROWS)).zip(self.new.chunks(BATCH_ROWS));
        for ((keys, old), new) in parts {
            let written = client.execute(column.write, &[&keys, &old, &new]).await?;
            found.changed += written;
            found.left += (keys.len() as u64).saturating_sub(written);
            new.iter().for_each(|text| count(found, text));
        }
        Ok(())
    }
}
