//! From one table to partitions. The table becomes the first partition as it is.

use super::PartitionProgress;
use super::ahead::make_ahead;
use super::back::drop_old;
use super::copy::drop_copy;
use super::definitions::Definitions;
use super::error::PartitionError;
use super::leaf::{Bounds, index_name};
use super::progress::PartitionEvent;
use super::session::{PartitionOptions, Session};
use super::standing::{Standing, look};
use super::switch::{Work, switch};
use crate::connection::quote_identifier;
use crate::migrate::Database;

const ONE_PER_PRODUCT: &str = include_str!("../../queries/partition/one_per_product.sql");
/// Ids that are left at least while rows are looked through.
const ROOM_MIN: i64 = 1_000;
/// The largest id of the column's type.
pub(crate) const ID_MAX: i64 = 2_147_483_647;

/// Turns the table of orders into partitions, or goes on with a run that was cut; where all is done, sees to the
/// partitions ahead.
///
/// # Errors
/// [`PartitionError`]; orders go on as they did, and what was reached stands.
pub async fn partition(
    database: &Database,
    options: &PartitionOptions,
    progress: PartitionProgress<'_>,
) -> Result<Standing, PartitionError> {
    let session = Session::locked(database, options, progress).await?;
    let standing = look(&session.connection).await?;
    if standing.is_merging {
        drop_copy(&session, progress).await?;
    }
    if standing.has_leftover {
        drop_old(&session, progress).await?;
    }
    if !standing.is_partitioned {
        let turned = turn(&session, &standing, progress).await;
        if turned.is_err() && look(&session.connection).await?.ids_below.is_some() {
            // Without it no order is ever refused for its id, however long the next run is away.
            lift_limit(&session, "orders", progress).await?;
        }
        turned?;
    }
    prove(&session, progress).await?;
    make_ahead(&session, progress).await?;
    look(&session.connection).await
}

/// What [`partition`] would do, step by step; changes nothing.
///
/// # Errors
/// [`PartitionError`]; also what would keep it from doing so.
pub async fn preview(database: &Database, options: &PartitionOptions) -> Result<Vec<String>, PartitionError> {
    let session = Session::look(database, options).await?;
    let standing = look(&session.connection).await?;
    let mut steps = Vec::new();
    if !standing.is_partitioned {
        let definitions = Definitions::read(&session.connection).await?;
        refuse_strangers(&definitions)?;
        let end = limit(&standing, options)?;
        let work = plan(&definitions, end, (options.rows(&standing), options.ahead));
        steps.push(format!("ALTER TABLE orders ADD {}", limit_sql(None, end)));
        steps.push("ALTER TABLE orders VALIDATE CONSTRAINT orders_ids_below".to_owned());
        steps.push(format!("-- In one transaction, with {} locked:", definitions.tables().join(", ")));
        steps.extend(work.before.into_iter().chain(work.under_locks));
        steps.extend(definitions.named("incoming").iter().map(|(name, _)| format!("-- Then {name} is proven again.")));
    }
    steps.push("-- Then ANALYZE orders, and partitions ahead where they are missing.".to_owned());
    Ok(steps)
}

async fn turn(session: &Session, standing: &Standing, progress: PartitionProgress<'_>) -> Result<(), PartitionError> {
    refuse_strangers(&Definitions::read(&session.connection).await?)?;
    let end = bound(session, standing, progress).await?;
    progress(PartitionEvent::Started("prove that every id is below the first partition's end"));
    prove_limit(session, "orders").await?;
    let further = (session.options.rows(standing), session.options.ahead);
    switch(session, "make the table the first partition", |definitions| plan(definitions, end, further), progress).await
}

pub(crate) fn refuse_strangers(definitions: &Definitions) -> Result<(), PartitionError> {
    let strangers = definitions.strangers();
    if strangers.is_empty() { Ok(()) } else { Err(PartitionError::Strangers(strangers)) }
}

/// Where the partition that holds the next id ends: a multiple of the size, far enough that nothing gets there while
/// the rows are looked through.
pub(crate) fn limit(standing: &Standing, options: &PartitionOptions) -> Result<i64, PartitionError> {
    let (rows, next_id) = (options.rows(standing), standing.next_id);
    let end = (next_id + room(rows)).div_euclid(rows) * rows + rows;
    if end > ID_MAX { Err(PartitionError::IdsEnd { next_id, rows }) } else { Ok(end) }
}

/// How many ids there must be before the end of a partition of this size.
fn room(rows: i64) -> i64 {
    (rows / 10).max(ROOM_MIN)
}

fn limit_sql(begin: Option<i64>, end: i64) -> String {
    let from = begin.map_or_else(String::new, |begin| format!("id >= {begin} AND "));
    format!("CONSTRAINT orders_ids_below CHECK ({from}id < {end}) NOT VALID")
}

/// Puts the limit on the table, or takes the one that a cut run left, where it is still far.
async fn bound(session: &Session, standing: &Standing, progress: PartitionProgress<'_>) -> Result<i64, PartitionError> {
    if let Some(below) = standing.ids_below {
        if below - standing.next_id >= room(session.options.rows(standing)) / 2 {
            return Ok(below);
        }
        lift_limit(session, "orders", progress).await?;
    }
    let end = limit(standing, &session.options)?;
    put_limit(session, "orders", (None, end), progress).await?;
    Ok(end)
}

pub(crate) async fn put_limit(
    session: &Session,
    table: &str,
    (begin, end): (Option<i64>, i64),
    progress: PartitionProgress<'_>,
) -> Result<(), PartitionError> {
    let sql = format!("ALTER TABLE {table} ADD {}", limit_sql(begin, end));
    let work = Work { before: Vec::new(), under_locks: vec![sql] };
    switch(session, "keep new ids below the partition's end", |_| work.clone(), progress).await
}

/// Looks through the rows while they are written to.
pub(crate) async fn prove_limit(session: &Session, table: &str) -> Result<(), PartitionError> {
    let sql = format!("ALTER TABLE {table} VALIDATE CONSTRAINT orders_ids_below");
    session.run_beside("prove that every id is below the partition's end", &sql).await
}

pub(crate) async fn lift_limit(
    session: &Session,
    table: &str,
    progress: PartitionProgress<'_>,
) -> Result<(), PartitionError> {
    let sql = format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS orders_ids_below");
    let work = Work { before: Vec::new(), under_locks: vec![sql] };
    switch(session, "let ids go on", |_| work.clone(), progress).await
}

/// Proves what refers to the table for the rows that were there, and counts them as a whole.
pub(crate) async fn prove(session: &Session, progress: PartitionProgress<'_>) -> Result<(), PartitionError> {
    let standing = look(&session.connection).await?;
    if !standing.is_analysed {
        progress(PartitionEvent::Started("count the rows for the planner"));
        session.run_beside("count the rows", "ANALYZE orders").await?;
    }
    for sql in &standing.unproven {
        progress(PartitionEvent::Started("prove what refers to orders"));
        session.run_beside("prove what refers to orders", sql).await?;
    }
    Ok(())
}

/// The switch: the table becomes the first partition of a new one, which takes its name and all that hangs on it.
fn plan(definitions: &Definitions, end: i64, (rows, ahead): (i64, u32)) -> Work {
    let first = Bounds { begin: None, end: Some(end) };
    let old = first.name();
    let before = vec![
        "CREATE TABLE orders_split (LIKE orders INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED \
         INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS) PARTITION BY RANGE (id)"
            .to_owned(),
        "ALTER TABLE orders_split DROP CONSTRAINT orders_ids_below".to_owned(),
    ];
    let mut sql = definitions.statements("incoming drop");
    sql.extend(definitions.triggers().map(|(name, _)| format!("DROP TRIGGER {} ON orders", quote_identifier(name))));
    sql.push(format!("ALTER TABLE orders RENAME TO {old}"));
    let own = definitions.own_indexes.iter().map(|(name, _)| name);
    for index in definitions.indexes().map(|(name, _)| name).chain(own) {
        let (index, renamed) = (quote_identifier(index), quote_identifier(&index_name(&old, index)));
        sql.push(format!("ALTER INDEX {index} RENAME TO {renamed}"));
    }
    sql.push("ALTER TABLE orders_split RENAME TO orders".to_owned());
    sql.extend(definitions.rights());
    sql.extend(definitions.strip(&old));
    sql.extend(Definitions::made_on("orders", definitions.indexes(), str::to_owned));
    sql.extend(Definitions::made_on("orders", definitions.named("foreign key").iter(), str::to_owned));
    sql.push(format!("ALTER TABLE orders ATTACH PARTITION {old} {}", first.values()));
    sql.push(format!("ALTER TABLE {old} DROP CONSTRAINT orders_ids_below"));
    for bounds in beyond(end, rows, ahead) {
        sql.extend(bounds.create(definitions));
    }
    sql.extend(definitions.triggers().map(|(_, statement)| statement.clone()));
    sql.push(ONE_PER_PRODUCT.to_owned());
    for kind in ["sequence", "incoming", "view"] {
        sql.extend(definitions.statements(kind));
    }
    Work { before, under_locks: sql }
}

/// So many partitions from an id on, and the open one after them.
pub(crate) fn beyond(from: i64, rows: i64, count: u32) -> Vec<Bounds> {
    let mut found = Vec::new();
    let mut begin = from;
    for _ in 0..count {
        if begin + rows > ID_MAX {
            break;
        }
        found.push(Bounds { begin: Some(begin), end: Some(begin + rows) });
        begin += rows;
    }
    found.push(Bounds { begin: Some(begin), end: None });
    found
}
