//! Partitions before they are needed. Those that are still empty have never been analysed: to the planner a table that
//! was counted as empty is best read through, and such a plan would stay while the first orders come in.

use super::PartitionProgress;
use super::definitions::Definitions;
use super::error::PartitionError;
use super::forward::{beyond, lift_limit, limit, prove, prove_limit, put_limit};
use super::leaf::Bounds;
use super::session::{PartitionOptions, Session};
use super::standing::{OrdersPartition, Standing, look};
use super::switch::{Work, refuse_rows, switch};
use crate::migrate::Database;

/// How often the end is looked at anew because an order came into it meanwhile.
const LOOKS: u32 = 3;

/// What was done for the ids to come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    /// The partitions that were made.
    pub made: Vec<String>,
    /// Whether the limit of ids that a cut run had left was taken off.
    pub is_limit_lifted: bool,
}

/// Makes sure that the coming ids have partitions; where the table of orders is not partitioned, only that no cut run
/// keeps it from growing. Finds nothing to do most of the time, and then takes no lock but that of migrations.
///
/// # Errors
/// [`PartitionError`]; where others hold the tables, the next call tries again, and orders have a place meanwhile.
pub async fn partitions_ahead(
    database: &Database,
    options: &PartitionOptions,
    progress: PartitionProgress<'_>,
) -> Result<Ahead, PartitionError> {
    let session = Session::locked(database, options, progress).await?;
    let standing = look(&session.connection).await?;
    if standing.is_partitioned {
        prove(&session, progress).await?;
        return Ok(Ahead { made: make_ahead(&session, progress).await?, is_limit_lifted: false });
    }
    let is_limit_lifted = standing.ids_below.is_some();
    if is_limit_lifted {
        lift_limit(&session, "orders", progress).await?;
    }
    Ok(Ahead { made: Vec::new(), is_limit_lifted })
}

/// Why [`partitions_ahead`] would do something, if it would; takes no lock and changes nothing.
///
/// # Errors
/// [`PartitionError`].
pub async fn partitions_due(
    database: &Database,
    options: &PartitionOptions,
) -> Result<Option<&'static str>, PartitionError> {
    let session = match Session::look(database, options).await {
        Err(PartitionError::NoTable(_)) => return Ok(None),
        other => other?,
    };
    let standing = look(&session.connection).await?;
    if !standing.is_partitioned {
        return Ok(standing.ids_below.map(|_| "a run that was cut left a limit of ids"));
    }
    if !standing.unproven.is_empty() || !standing.is_analysed {
        return Ok(Some("a run was cut before its last checks"));
    }
    let Some(end) = end_of(&session, &standing).await? else { return Ok(None) };
    let Some(from) = end.used.end else { return Ok(Some("orders are in the open partition")) };
    let is_ready = is_ready(&end, &wanted(from, &standing, options));
    Ok((!is_ready).then_some("partitions for the coming orders are missing, or were counted as empty"))
}

/// The partitions at the end: the last one with rows, and those after it.
struct End {
    used: OrdersPartition,
    empty: Vec<OrdersPartition>,
}

pub(crate) async fn make_ahead(
    session: &Session,
    progress: PartitionProgress<'_>,
) -> Result<Vec<String>, PartitionError> {
    let mut look_again = LOOKS;
    loop {
        match make_once(session, progress).await {
            Err(error) if is_used_meanwhile(&error) && look_again > 0 => look_again -= 1,
            other => return other,
        }
    }
}

/// Whether a partition that was to be made anew has rows by now.
pub(crate) fn is_used_meanwhile(error: &PartitionError) -> bool {
    use tokio_postgres::error::SqlState;
    matches!(error, PartitionError::Database { source, .. }
        if source.code() == Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE))
}

async fn make_once(session: &Session, progress: PartitionProgress<'_>) -> Result<Vec<String>, PartitionError> {
    let standing = look(&session.connection).await?;
    let Some(end) = end_of(session, &standing).await? else { return Ok(Vec::new()) };
    // A table that was used before its time is closed first: proven outside of the locks, as in the beginning.
    let closed = match (end.used.end, end.used.ids_below) {
        (Some(_), _) => None,
        (None, Some(below)) if below > standing.next_id => Some(below),
        (None, stale) => {
            if stale.is_some() {
                lift_limit(session, &end.used.name, progress).await?;
            }
            let below = limit(&standing, &session.options)?;
            put_limit(session, &end.used.name, (end.used.begin, below), progress).await?;
            Some(below)
        }
    };
    if closed.is_some() {
        let proven = prove_limit(session, &end.used.name).await;
        if proven.is_err() {
            lift_limit(session, &end.used.name, progress).await?;
        }
        proven?;
    }
    let from = end.used.end.or(closed).unwrap_or_default();
    let wanted = wanted(from, &standing, &session.options);
    if closed.is_none() && is_ready(&end, &wanted) {
        return Ok(Vec::new());
    }
    let step = "make the partitions ahead";
    let done = switch(session, step, |definitions| plan(definitions, &end, (closed, &wanted)), progress).await;
    if done.is_err() && closed.is_some() {
        lift_limit(session, &end.used.name, progress).await?;
    }
    done?;
    prove(session, progress).await?;
    Ok(wanted.into_iter().map(Bounds::name).collect())
}

/// Whether the empty partitions are those that are wanted, and were never counted.
fn is_ready(end: &End, wanted: &[Bounds]) -> bool {
    let has = |(part, bounds): (&OrdersPartition, &Bounds)| {
        part.begin == bounds.begin && part.end == bounds.end && part.rows_estimated.is_none()
    };
    end.empty.len() == wanted.len() && end.empty.iter().zip(wanted).all(has)
}

async fn end_of(session: &Session, standing: &Standing) -> Result<Option<End>, PartitionError> {
    let mut empty = standing.partitions.clone();
    let mut used = 0;
    for place in (1..empty.len()).rev() {
        if empty[place].is_used(&session.connection).await? {
            used = place;
            break;
        }
    }
    if empty.is_empty() {
        return Ok(None);
    }
    let after = empty.split_off(used + 1);
    Ok(empty.pop().map(|used| End { used, empty: after }))
}

/// The partitions from an id on: one up to the next id and beyond it, where that is further, and those ahead.
fn wanted(from: i64, standing: &Standing, options: &PartitionOptions) -> Vec<Bounds> {
    let rows = options.rows(standing);
    let mut found = Vec::new();
    let mut begin = from;
    if standing.next_id >= from {
        // None where the ids end.
        let Ok(end) = limit(standing, options) else { return beyond(from, rows, 0) };
        found.push(Bounds { begin: Some(from), end: Some(end) });
        begin = end;
    }
    found.extend(beyond(begin, rows, options.ahead));
    found
}

fn plan(definitions: &Definitions, end: &End, (closed, wanted): (Option<i64>, &[Bounds])) -> Work {
    let mut sql = Vec::new();
    for part in &end.empty {
        sql.push(refuse_rows(&part.name));
        sql.push(format!("ALTER TABLE orders DETACH PARTITION {}", part.name));
        sql.push(format!("DROP TABLE {}", part.name));
    }
    if let Some(below) = closed {
        let name = &end.used.name;
        let bounds = Bounds { begin: end.used.begin, end: Some(below) };
        // A partition that is referred to does not come off while rows refer to it.
        sql.extend(definitions.statements("incoming drop"));
        sql.push(format!("ALTER TABLE orders DETACH PARTITION {name}"));
        sql.push(format!("ALTER TABLE orders ATTACH PARTITION {name} {}", bounds.values()));
        sql.push(format!("ALTER TABLE {name} DROP CONSTRAINT orders_ids_below"));
    }
    for bounds in wanted {
        sql.extend(bounds.create(definitions));
    }
    if closed.is_some() {
        sql.extend(definitions.statements("incoming"));
    }
    Work { before: Vec::new(), under_locks: sql }
}
