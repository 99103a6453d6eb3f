//! Two connections to a database: one that works, as the owner and under the lock of maintenance, and one that looks.

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::action::Ending;
use super::error::{MaintainError, described, is_lock_timeout};
use super::options::{MaintainOptions, Site};
use super::progress::{Event, Progress};
use crate::connection::{Connection, quote_identifier};

const PROGRESS: &str = include_str!("../../queries/maintain/progress.sql");
const BLOCKERS: &str = include_str!("../../queries/maintain/blockers.sql");
const HOLDER: &str = include_str!("../../queries/maintain/holder.sql");
/// One run at a time and database holds this advisory lock.
const LOCK_KEY: i64 = 0x4553_544f_4d41_494e;
/// How often a statement under way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long taking away what a statement left may wait, in milliseconds; the next run finds what stays.
const TIDY_MS_MAX: u32 = 3_000;
/// How much less urgent than the shop's a local server process is while it maintains.
const NICENESS: i32 = 15;
/// Until the kernel takes another change of niceness.
const AUTOGROUP_PAUSE: Duration = Duration::from_millis(110);

/// A database under maintenance.
pub(super) struct Session<'a> {
    pub(super) site: &'a Site,
    pub(super) options: &'a MaintainOptions,
    pub(super) database: String,
    pub(super) worker: Connection,
    pub(super) watcher: Connection,
    /// The server's process of the worker.
    pid: i32,
    is_superuser: bool,
    stop: &'a CancellationToken,
    pub(super) progress: Progress<'a>,
}

/// Why a statement did not work.
pub(super) enum Refusal {
    /// It waited for this for too long.
    Locked(String),
    /// We were told to stop, or the time is over.
    Stopped,
    /// It failed.
    Failed(tokio_postgres::Error),
}

impl From<Refusal> for Ending {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Locked(to) => Self::GaveWay { to },
            Refusal::Stopped => Self::Stopped,
            Refusal::Failed(error) => Self::Failed { because: described(&error) },
        }
    }
}

impl<'a> Session<'a> {
    /// Connects, takes the lock and becomes the owner.
    pub(super) async fn open(
        site: &'a Site,
        options: &'a MaintainOptions,
        stop: &'a CancellationToken,
        progress: Progress<'a>,
    ) -> Result<Self, MaintainError> {
        let database = site.config.get_dbname().unwrap_or_default().to_owned();
        let mut config = site.config.clone();
        config.application_name("estore maintain");
        let failed = || MaintainError::at(&database, "connect");
        let worker = Connection::open(&config).await.map_err(failed())?;
        let watcher = Connection::open(&config).await.map_err(failed())?;
        let taken = "SELECT pg_try_advisory_lock($1), pg_backend_pid(), current_setting('is_superuser') = 'on'";
        let taken = worker.query_one(taken, &[&LOCK_KEY]).await;
        let taken = taken.map_err(MaintainError::at(&database, "take the lock of maintenance"))?;
        let (pid, is_superuser) = (taken.get(1), taken.get(2));
        let session = Self { site, options, database, worker, watcher, pid, is_superuser, stop, progress };
        let mut is_ours: bool = taken.get(0);
        // A run that is just ending holds the lock when we ask for it, and is gone when we ask who has it.
        while !is_ours {
            if let Some(busy) = session.busy().await? {
                return Err(busy);
            }
            let again = session.worker.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK_KEY]).await;
            is_ours = again.map_err(MaintainError::at(&session.database, "take the lock of maintenance"))?.get(0);
        }
        session.settle().await?;
        Ok(session)
    }

    /// Who holds the lock, if somebody does.
    async fn busy(&self) -> Result<Option<MaintainError>, MaintainError> {
        let failed = || MaintainError::at(&self.database, "ask who holds the lock of maintenance");
        let holder = self.watcher.query_opt(HOLDER, &[&LOCK_KEY]).await.map_err(failed())?;
        let database = self.database.clone();
        Ok(holder.map(|row| MaintainError::Busy { database, pid: row.get(0), since: row.get(1) }))
    }

    async fn settle(&self) -> Result<(), MaintainError> {
        let failed = || MaintainError::at(&self.database, "prepare the session");
        let both = "SET search_path = public; SET timezone = 'UTC'; SET client_min_messages = warning; \
                    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET idle_session_timeout = 0;";
        self.watcher.batch_execute(both).await.map_err(failed())?;
        // Paced as autovacuum is; ended by the server itself should we die.
        let worker = format!(
            "{both} SET ROLE {}; SET lock_timeout = {}; SET client_connection_check_interval = '2s'; \
             SET vacuum_cost_delay = '2ms'; SET vacuum_cost_limit = 400; SET max_parallel_maintenance_workers = 0",
            quote_identifier(&self.site.owner),
            self.options.lock_wait.as_millis()
        );
        self.worker.batch_execute(&worker).await.map_err(failed())?;
        if self.site.is_local {
            self.give_way().await;
        }
        Ok(())
    }

    /// Makes the server's process of the worker less urgent. Each process of PostgreSQL begins a session of the system's,
    /// and where Linux shares processor time among sessions first (autogroups, sched(7)), only the session's niceness counts
    /// against others.
    async fn give_way(&self) {
        let process = rustix::process::Pid::from_raw(self.pid);
        let mut refused = rustix::process::setpriority_process(process, NICENESS).map_err(io::Error::from).err();
        let group = format!("/proc/{}/autogroup", self.pid);
        if Path::new(&group).exists() {
            let mut set = std::fs::write(&group, NICENESS.to_string());
            // The kernel takes one change in a tenth of a second from those who are not root.
            while matches!(&set, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                sleep(AUTOGROUP_PAUSE).await;
                set = std::fs::write(&group, NICENESS.to_string());
            }
            refused = refused.or(set.err());
        }
        if let Some(error) = refused {
            tracing::debug!(%error, "the server's process stays as urgent as the others");
        }
    }

    /// The connection that sees the statistics of every table, those with row security too.
    pub(super) fn all_seeing(&self) -> &Connection {
        if self.is_superuser { &self.watcher } else { &self.worker }
    }

    /// The server's processes of this session.
    pub(super) async fn own_pids(&self) -> Result<Vec<i32>, tokio_postgres::Error> {
        let row = self.watcher.query_one("SELECT pg_backend_pid()", &[]).await?;
        Ok(vec![self.pid, row.get(0)])
    }

    /// Whether nothing more is to be begun.
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.options.until.is_some_and(|until| Timestamp::now() >= until)
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        self.stop
    }

    /// Does nothing for so long, unless the run is to end.
    pub(super) async fn rest(&self, time: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(time) => {}
        }
    }

    /// Runs a statement to its end, telling how far it is; stops it, in good order, when the run is to end.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Refusal> {
        if self.is_over() {
            return Err(Refusal::Stopped);
        }
        self.run_on(sql).await
    }

    /// The same for what must be done even when the run is to end, and soon: taking away what a statement left.
    pub(super) async fn tidy(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.worker.batch_execute(&format!("SET lock_timeout = {TIDY_MS_MAX}")).await?;
        let done = self.worker.batch_execute(sql).await;
        let wait = self.options.lock_wait.as_millis();
        self.worker.batch_execute(&format!("SET lock_timeout = {wait}")).await?;
        done
    }

    async fn run_on(&self, sql: &str) -> Result<(), Refusal> {
        let statement = self.worker.batch_execute(sql);
        tokio::pin!(statement);
        let (mut blocker, mut is_stopped, mut look_at) = (None, false, Instant::now() + LOOK_EVERY);
        let ended = loop {
            tokio::select! {
                ended = &mut statement => break ended,
                () = self.stop.cancelled(), if !is_stopped => {}
                () = tokio::time::sleep_until(look_at) => {}
            }
            look_at = Instant::now() + LOOK_EVERY;
            if self.is_over() {
                is_stopped = true;
                self.cancel().await;
            } else if let Ok(Some(found)) = self.look().await {
                blocker = Some(found);
            }
        };
        match ended {
            Ok(()) => Ok(()),
            Err(error) if is_lock_timeout(&error) => {
                Err(Refusal::Locked(blocker.unwrap_or_else(|| "somebody held a lock that it needs".to_owned())))
            }
            Err(_) if is_stopped => Err(Refusal::Stopped),
            Err(error) => Err(Refusal::Failed(error)),
        }
    }

    /// Tells how far the worker is; answers whom it waits for.
    async fn look(&self) -> Result<Option<String>, tokio_postgres::Error> {
        if let Some(row) = self.watcher.query_opt(PROGRESS, &[&self.pid]).await? {
            let count = |column: usize| row.get::<_, Option<i64>>(column).unwrap_or_default().unsigned_abs();
            let phase = row.get::<_, Option<String>>(0).unwrap_or_default();
            (self.progress)(Event::Step { phase: &phase, done: count(1), total: count(2) });
        }
        Ok(self.watcher.query_opt(BLOCKERS, &[&self.pid]).await?.map(|row| row.get(0)))
    }

    async fn cancel(&self) {
        if let Err(error) = self.watcher.execute("SELECT pg_cancel_backend($1)", &[&self.pid]).await {
            tracing::warn!(error = described(&error), "cannot stop the statement that is under way");
        }
    }

    /// Runs statements that others queue behind, in one transaction: with a short patience and many tries.
    pub(super) async fn run_briefly(&self, sql: &str) -> Result<(), Refusal> {
        let wait = self.options.brief_wait.as_millis();
        let sql = format!("BEGIN; SET LOCAL lock_timeout = {wait}; {sql}; COMMIT");
        let mut blocker = String::new();
        for attempt in 1..=self.options.brief_tries {
            match self.run(&sql).await {
                Ok(()) => return Ok(()),
                Err(refusal) => {
                    self.worker.batch_execute("ROLLBACK").await.map_err(Refusal::Failed)?;
                    match refusal {
                        Refusal::Locked(who) => blocker = who,
                        other => return Err(other),
                    }
                }
            }
            // Whoever queued behind us goes first.
            sleep(Duration::from_millis(rand::random_range(100..300) * u64::from(attempt.min(5)))).await;
        }
        let tries = self.options.brief_tries;
        Err(Refusal::Locked(format!("{blocker}, {tries} times")))
    }
}
