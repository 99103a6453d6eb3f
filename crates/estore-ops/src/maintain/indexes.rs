//! Indexes that failed builds left, and those that are mostly air.

use tokio_postgres::Error;

use super::action::{Action, Ending, Task};
use super::look::share;
use super::options::Thresholds;
use super::session::{Refusal, Session};
use crate::connection::quote_identifier;

const LEFTOVERS: &str = include_str!("../../queries/maintain/leftovers.sql");
const BUILDERS: &str = include_str!("../../queries/maintain/builders.sql");
const BLOAT: &str = include_str!("../../queries/monitor/bloat.sql");
/// More tables and indexes than a database of ours has.
const RELATIONS_MAX: i64 = 10_000;

/// An index that answers nothing, and that nobody is at work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leftover {
    pub(super) oid: u32,
    pub(super) name: String,
    table_oid: u32,
    /// Of a rebuild, so that another index does its work; else one that somebody wanted.
    is_remnant: bool,
}

/// The indexes that failed builds left. One whose table somebody is at work on is not among them: a build that is under
/// way looks the same.
pub(super) async fn leftovers(session: &Session<'_>) -> Result<Vec<Leftover>, Error> {
    let found = invalid(session).await?;
    if found.is_empty() {
        return Ok(found);
    }
    let own = session.own_pids().await?;
    let busy: Vec<u32> = session.watcher.query(BUILDERS, &[&own]).await?.iter().map(|row| row.get(0)).collect();
    // Looked at again after the locks: what is still invalid, and was let go by then, stays so for ever.
    let still = invalid(session).await?;
    Ok(still.into_iter().filter(|index| found.contains(index) && !busy.contains(&index.table_oid)).collect())
}

async fn invalid(session: &Session<'_>) -> Result<Vec<Leftover>, Error> {
    let rows = session.watcher.query(LEFTOVERS, &[&session.site.owner]).await?;
    let leftover = |row: &tokio_postgres::Row| Leftover {
        oid: row.get("oid"),
        name: row.get("name"),
        table_oid: row.get("table_oid"),
        is_remnant: row.get("is_remnant"),
    };
    Ok(rows.iter().map(leftover).collect())
}

impl Leftover {
    /// What is to be done with it.
    pub(super) fn action(&self) -> Action {
        let (verb, why) = if self.is_remnant {
            ("drop index", "a rebuild that failed left it: it answers nothing and slows every write")
        } else {
            ("reindex", "its build failed: it answers nothing and slows every write")
        };
        Action { task: Task::Reindex, verb, target: self.name.clone(), why: why.to_owned() }
    }

    pub(super) fn is_remnant(&self) -> bool {
        self.is_remnant
    }
}

/// A B-tree that is mostly air, by estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Airy {
    pub(super) oid: u32,
    pub(super) name: String,
    bytes: i64,
    air_bytes: i64,
}

/// The indexes, the airiest first, that pass the limits.
pub(super) async fn airy(session: &Session<'_>) -> Result<Vec<Airy>, Error> {
    let limits = &session.options.thresholds;
    let owned = "SELECT oid FROM pg_class WHERE relkind = 'i' AND pg_has_role($1::text, relowner, 'USAGE')";
    let owned: Vec<u32> =
        session.watcher.query(owned, &[&session.site.owner]).await?.iter().map(|row| row.get(0)).collect();
    let rows = session.all_seeing().query(BLOAT, &[&RELATIONS_MAX]).await?;
    let found = rows.iter().filter(|row| row.get("is_index")).filter_map(|row| {
        let oid = u32::try_from(row.get::<_, i64>("oid")).ok()?;
        let air_bytes = row.get::<_, Option<i64>>("wasted_bytes")?;
        owned.contains(&oid).then(|| Airy { oid, name: row.get("name"), bytes: row.get("bytes"), air_bytes })
    });
    Ok(found.filter(|index| index.is_due(limits)).collect())
}

impl Airy {
    fn is_due(&self, limits: &Thresholds) -> bool {
        self.air_bytes >= limits.air_mib.saturating_mul(1024 * 1024)
            && share(self.air_bytes, self.bytes) >= limits.air_percent
    }

    pub(super) fn action(&self) -> Action {
        let why =
            format!("about {} % of its {} MiB are air", share(self.air_bytes, self.bytes), self.bytes / 1024 / 1024);
        Action { task: Task::Reindex, verb: "reindex", target: self.name.clone(), why }
    }
}

/// Builds an index anew beside the old one; what is left of it when that does not work is taken away.
pub(super) async fn rebuild(session: &Session<'_>, name: &str) -> Result<(), Refusal> {
    let refusal = match session.run(&format!("REINDEX INDEX CONCURRENTLY {name}")).await {
        Ok(()) => return Ok(()),
        Err(refusal) => refusal,
    };
    let mut stays = false;
    for remnant in leftovers(session).await.map_err(Refusal::Failed)?.iter().filter(|left| left.is_remnant) {
        let removed = session.tidy(&format!("DROP INDEX CONCURRENTLY IF EXISTS {}", remnant.name)).await;
        stays |= removed.is_err();
    }
    match refusal {
        Refusal::Locked(who) if stays => {
            Err(Refusal::Locked(format!("{who}; the next run removes the half of an index that stays")))
        }
        refusal => Err(refusal),
    }
}

/// Takes a remnant away, without anybody waiting for it.
pub(super) async fn remove(session: &Session<'_>, leftover: &Leftover) -> Ending {
    // Its name may be another's by now.
    let current = "SELECT relname::text, relnamespace::regnamespace::text FROM pg_class WHERE oid = $1";
    match session.watcher.query_opt(current, &[&leftover.oid]).await {
        Ok(None) => Ending::Done { brought: "it was gone already".to_owned() },
        Ok(Some(row)) => {
            let (name, space): (String, String) = (row.get(0), row.get(1));
            let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {space}.{}", quote_identifier(&name));
            match session.run(&sql).await {
                Ok(()) => Ending::Done { brought: "writes no longer keep it up".to_owned() },
                Err(refusal) => refusal.into(),
            }
        }
        Err(error) => Refusal::Failed(error).into(),
    }
}
