//! A whole run: one database after the other, one action at a time.

use std::time::{Duration, Instant};

use estore_kit::db::{Db, DbError};
use tokio_util::sync::CancellationToken;

use super::action::{Action, Ending, Report, Task};
use super::error::MaintainError;
use super::indexes::{self, Leftover};
use super::look::{self, Need};
use super::options::{MaintainOptions, Site};
use super::orders;
use super::partitions;
use super::progress::{Event, Progress};
use super::purging;
use super::session::{Refusal, Session};
use crate::roles::Service;

const STATE: &str = include_str!("../../queries/maintain/state.sql");
const BACKUPS: &str = include_str!("../../queries/maintain/backups.sql");
/// It rests for one part in so many of what the action before took: with half, a third of all time is the shop's alone.
const REST_PART: u32 = 2;

/// Does what is due in these databases until nothing is or `stop`, and answers what it did.
///
/// # Errors
/// [`MaintainError::Busy`] where another run is at work in any of them: then nothing was done. Actions that fail are
/// reported, and the others go on.
pub async fn maintain(
    sites: &[Site],
    options: &MaintainOptions,
    stop: &CancellationToken,
    progress: Progress<'_>,
) -> Result<Vec<Report>, MaintainError> {
    let mut runs = Vec::new();
    for site in sites {
        runs.push(Run::open(site, options, stop, progress).await?);
    }
    let mut names = Vec::new();
    for run in &runs {
        let growers = partitions::growers(&run.session).await.map_err(run.failed("list its partitioned tables"))?;
        names.extend(growers.into_iter().map(|grower| grower.bare_name));
    }
    // A rule may be about a database that is left out this time.
    partitions::check_rules(options, (sites.len() == Service::ALL.len()).then_some(&names))?;
    let mut reports = Vec::new();
    for run in &mut runs {
        run.all().await?;
        reports.append(&mut run.reports);
    }
    Ok(reports)
}

/// One database's part.
struct Run<'a> {
    session: Session<'a>,
    db: Db,
    reports: Vec<Report>,
    /// How long to rest before the next action.
    rest: Duration,
}

/// How a table or index stood.
struct State {
    dead_rows: i64,
    bytes: i64,
}

impl<'a> Run<'a> {
    async fn open(
        site: &'a Site,
        options: &'a MaintainOptions,
        stop: &'a CancellationToken,
        progress: Progress<'a>,
    ) -> Result<Self, MaintainError> {
        let session = Session::open(site, options, stop, progress).await?;
        let db = purging::pool(site).map_err(|error| refused(&session.database, "open a pool", error))?;
        Ok(Self { session, db, reports: Vec::new(), rest: Duration::ZERO })
    }

    fn failed(&self, step: &'static str) -> impl FnOnce(tokio_postgres::Error) -> MaintainError {
        MaintainError::at(&self.session.database, step)
    }

    fn wants(&self, task: Task) -> bool {
        self.session.options.tasks.contains(&task)
    }

    async fn all(&mut self) -> Result<(), MaintainError> {
        if self.wants(Task::Partitions) {
            self.partitions().await?;
        }
        if self.wants(Task::Purge) {
            self.purge().await?;
        }
        if self.wants(Task::Vacuum) || self.wants(Task::Analyze) {
            self.tables().await?;
        }
        if self.wants(Task::Partitions) {
            self.orders().await?;
        }
        if self.wants(Task::Reindex) {
            self.leftovers().await?;
            self.airy().await?;
        }
        Ok(())
    }

    async fn partitions(&mut self) -> Result<(), MaintainError> {
        let chores = partitions::chores(&self.session).await.map_err(self.failed("look at its partitions"))?;
        for (chore, action) in chores {
            if let Some(began) = self.begin(&action).await? {
                let ending = partitions::perform(&self.session, &chore).await;
                self.end(action, ending, began);
            }
        }
        Ok(())
    }

    /// After the tables: partitions that were counted as empty are made anew.
    async fn orders(&mut self) -> Result<(), MaintainError> {
        let site = self.session.site;
        let due = match orders::due(site).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "the partitions of orders could not be looked at");
                None
            }
        };
        if let Some(action) = due
            && let Some(began) = self.begin(&action).await?
        {
            let ending = orders::make(site).await;
            self.end(action, ending, began);
        }
        Ok(())
    }

    async fn purge(&mut self) -> Result<(), MaintainError> {
        let due = purging::due(self.session.site, &self.db).await;
        let due = due.map_err(|error| refused(&self.session.database, "count what may go", error))?;
        for (purge, rows, action) in due {
            if let Some(began) = self.begin(&action).await? {
                let ending = purging::remove(&self.session, &self.db, &purge, rows).await;
                self.end(action, ending, began);
            }
        }
        Ok(())
    }

    async fn tables(&mut self) -> Result<(), MaintainError> {
        let tables = look::tables(&self.session).await.map_err(self.failed("look at its tables"))?;
        let options = self.session.options;
        for Need { action, oid, sql } in look::needs(&tables, &options.thresholds, &options.tasks) {
            let Some(began) = self.begin(&action).await? else { continue };
            let before = self.state(oid).await?;
            let done = self.session.run(&sql).await;
            let after = self.state(oid).await?;
            self.end(action, ended(done, &before, &after), began);
        }
        Ok(())
    }

    async fn leftovers(&mut self) -> Result<(), MaintainError> {
        let found = indexes::leftovers(&self.session).await.map_err(self.failed("look for broken indexes"))?;
        for leftover in found {
            let action = leftover.action();
            let Some(began) = self.begin(&action).await? else { continue };
            let ending = self.mend(&leftover).await;
            self.end(action, ending, began);
        }
        Ok(())
    }

    async fn mend(&self, leftover: &Leftover) -> Ending {
        if leftover.is_remnant() {
            return indexes::remove(&self.session, leftover).await;
        }
        match indexes::rebuild(&self.session, &leftover.name).await {
            Ok(()) => Ending::Done { brought: "it answers queries now".to_owned() },
            Err(refusal) => refusal.into(),
        }
    }

    async fn airy(&mut self) -> Result<(), MaintainError> {
        let found = indexes::airy(&self.session).await.map_err(self.failed("look at its indexes"))?;
        for index in found {
            let action = index.action();
            let Some(began) = self.begin(&action).await? else { continue };
            let before = self.state(index.oid).await?;
            let done = indexes::rebuild(&self.session, &index.name).await;
            // The new index has a number of its own.
            let oid = self.session.watcher.query_one("SELECT to_regclass($1)::oid", &[&index.name]).await;
            let oid: Option<u32> = oid.map_err(self.failed("find the new index"))?.get(0);
            let after = self.state(oid.unwrap_or(index.oid)).await?;
            self.end(action, ended(done, &before, &after), began);
        }
        Ok(())
    }

    async fn state(&self, oid: u32) -> Result<State, MaintainError> {
        let row = self.session.watcher.query_opt(STATE, &[&oid]).await.map_err(self.failed("look at a table"))?;
        Ok(row.map_or(State { dead_rows: 0, bytes: 0 }, |row| State { dead_rows: row.get(0), bytes: row.get(1) }))
    }

    /// Notes an action; answers when it began, where it is to be done now.
    async fn begin(&mut self, action: &Action) -> Result<Option<Instant>, MaintainError> {
        if self.session.options.dry_run {
            self.end(action.clone(), Ending::Planned, Instant::now());
            return Ok(None);
        }
        self.session.rest(std::mem::take(&mut self.rest)).await;
        let now = Instant::now();
        if self.session.is_over() {
            self.end(action.clone(), Ending::Stopped, now);
            return Ok(None);
        }
        let backup = self.session.watcher.query_one(BACKUPS, &[]).await;
        if backup.map_err(self.failed("ask for backups"))?.get(0) {
            self.end(action.clone(), Ending::GaveWay { to: "a backup is being taken".to_owned() }, now);
            return Ok(None);
        }
        (self.session.progress)(Event::Started { database: &self.session.database, action });
        Ok(Some(now))
    }

    fn end(&mut self, action: Action, ending: Ending, began: Instant) {
        self.rest = began.elapsed() / REST_PART;
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let report = Report { database: self.session.database.clone(), action, ending, millis };
        (self.session.progress)(Event::Finished(&report));
        self.reports.push(report);
    }
}

fn ended(done: Result<(), Refusal>, before: &State, after: &State) -> Ending {
    match done {
        Ok(()) => Ending::Done { brought: brought(before, after) },
        Err(refusal) => refusal.into(),
    }
}

fn brought(before: &State, after: &State) -> String {
    const KIB: i64 = 1024;
    let (dead, bytes) = (before.dead_rows - after.dead_rows, before.bytes - after.bytes);
    let mut parts = Vec::new();
    if dead > 0 {
        parts.push(format!("{dead} dead rows less"));
    }
    if bytes >= KIB {
        parts.push(format!("{} KiB of {} KiB given back", bytes / KIB, before.bytes / KIB));
    }
    if parts.is_empty() { "it is up to date".to_owned() } else { parts.join(", ") }
}

fn refused(database: &str, step: &'static str, error: DbError) -> MaintainError {
    MaintainError::Refused { database: database.to_owned(), step, error }
}
