//! The seal that says that rows were let go by a rule, so that nobody takes them for dropped.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_postgres::{Client, Error};

use super::book::books;
use super::seal::{Chain, Range, is_signed};
use super::sealer::TURN_KEY;
use crate::backup::SigningKey;
use crate::roles::Service;

const NEWEST: &str = include_str!("../../queries/audit/newest.sql");
const POSITIONS: &str = include_str!("../../queries/audit/positions.sql");

/// A partition that is to go.
#[derive(Debug)]
pub(crate) struct Leaving<'a> {
    /// The database.
    pub(crate) service: Service,
    /// The table that it is a part of.
    pub(crate) table: &'a str,
    /// The partition, as SQL text.
    pub(crate) partition: &'a str,
    /// Until when its rows were written.
    pub(crate) until: Timestamp,
}

/// What is to be done with it.
#[derive(Debug)]
pub(crate) enum Farewell {
    /// Nothing of its table was ever sealed.
    NotSealed,
    /// It stays: some of its rows are not sealed yet, or the key is not here.
    Stays(&'static str),
    /// It goes together with this statement, which seals that it went.
    Sealed(String),
}

/// Holds the sealer back until [`release`], so that the next seal is ours; it waits no longer than the session's locks.
pub(crate) async fn take_turn(client: &Client) -> Result<(), Error> {
    client.query("SELECT pg_advisory_lock($1)", &[&TURN_KEY]).await.map(drop)
}

/// Lets the sealer go on.
pub(crate) async fn release(client: &Client) -> Result<(), Error> {
    client.query("SELECT pg_advisory_unlock($1)", &[&TURN_KEY]).await.map(drop)
}

/// What is to be done with a partition, by whoever has the sealer's turn.
pub(crate) async fn farewell(
    client: &Client,
    leaving: &Leaving<'_>,
    key: Option<&SigningKey>,
) -> Result<Farewell, Error> {
    let Leaving { service, table, partition, until } = leaving;
    let is_book = books(*service).iter().any(|book| book.name == *table && book.unit == "ids");
    if !is_book || client.query_one("SELECT to_regclass('public.audit_seals') IS NULL", &[]).await?.get(0) {
        return Ok(Farewell::NotSealed);
    }
    let sealed: i64 = client.query_one(POSITIONS, &[&[*table].as_slice()]).await?.get(1);
    if sealed == 0 {
        return Ok(Farewell::NotSealed);
    }
    let Some(key) = key else { return Ok(Farewell::Stays("the key that its seals are signed with is not here")) };
    let rows = format!("SELECT coalesce(min(id), 0), coalesce(max(id), 0), count(*), min(created_at) FROM {partition}");
    let rows = client.query_one(&rows, &[]).await?;
    let (first, last): (i64, i64) = (rows.get(0), rows.get(1));
    if last > sealed {
        return Ok(Farewell::Stays("its newest rows are not sealed yet"));
    }
    let range = Range {
        table: (*table).to_owned(),
        kind: "let_go".to_owned(),
        after: (first - 1).max(0),
        last,
        rows: rows.get(2),
        digest: Sha256::digest("").to_vec(),
        rows_from: rows.get::<_, Option<Timestamp>>(3).unwrap_or(*until),
        rows_until: *until,
    };
    let newest = client.query_opt(NEWEST, &[]).await?;
    let (number, head): (i64, Vec<u8>) = newest.as_ref().map_or((0, Vec::new()), |row| (row.get(0), row.get(1)));
    if newest.is_some_and(|row| !is_signed(&key.public(), &head, row.get(2))) {
        return Ok(Farewell::Stays("the newest seal is signed by another key than the one that is here"));
    }
    let mut chain = Chain { service: *service, number, head, key };
    let now: Timestamp = client.query_one("SELECT now()", &[]).await?.get(0);
    let seal = chain.seal(range, now);
    let (range, hex) = (&seal.range, |bytes: &[u8]| format!("'\\x{}'", hex::encode(bytes)));
    Ok(Farewell::Sealed(format!(
        "INSERT INTO audit_seals VALUES ({}, '{table}', 'let_go', {}, {}, {}, {}, '{}', '{}', '{now}', {}, {})",
        seal.number,
        range.after,
        range.last,
        range.rows,
        hex(&range.digest),
        range.rows_from,
        range.rows_until,
        hex(&seal.head),
        hex(&seal.signature)
    )))
}
