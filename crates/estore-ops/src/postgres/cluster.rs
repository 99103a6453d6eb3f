//! A private cluster's life: start, watch, stop.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Config, NoTls};

use super::account::Account;
use super::address::ClusterAddress;
use super::discover::{Binaries, discover};
use super::error::ClusterError;
use super::initialise::initialise;
use super::layout::Layout;
use super::{log_files, process, settings, urgency};
use crate::roles::ADMINISTRATOR;

const POLL: Duration = Duration::from_millis(10);
const WATCH_STEP: Duration = Duration::from_millis(100);
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// How often the log is looked after.
const LOG_STEP: Duration = Duration::from_secs(60);
/// How often new processes of the server are looked for.
const URGENCY_STEP: Duration = Duration::from_secs(1);

/// How a private cluster is run.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Whether commits survive a power cut; only tests say no.
    pub durable: bool,
    /// Connections the server accepts at once.
    pub connections_max: u16,
    /// How long the server may take to answer, in seconds; recovery after a crash counts.
    pub ready_seconds_max: u64,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { durable: true, connections_max: 120, ready_seconds_max: 600 }
    }
}

impl ClusterOptions {
    /// For tests: nothing is forced to disk.
    #[must_use]
    pub fn for_tests() -> Self {
        Self { durable: false, connections_max: 300, ready_seconds_max: 60 }
    }
}

/// A PostgreSQL server that lives and dies with this process.
#[derive(Debug)]
pub struct PrivateCluster {
    layout: Layout,
    account: Account,
    binaries: Binaries,
    options: ClusterOptions,
    child: Mutex<Option<Child>>,
    stopping: Arc<AtomicBool>,
    _lock: File,
}

impl PrivateCluster {
    /// Starts the cluster under `data_dir`, making both when they are not there. What a killed
    /// estore left running on it is stopped first.
    ///
    /// # Errors
    /// [`ClusterError`], each with its mend; nothing keeps running after one.
    pub async fn start(data_dir: &Path, options: ClusterOptions) -> Result<Self, ClusterError> {
        let layout = Layout::make(data_dir)?;
        let lock = layout.lock()?;
        let account = Account::choose(&layout.data)?;
        layout.prepare(&account)?;
        let binaries = discover(version_of(&layout.data))?;
        process::end_orphans(&layout).await?;
        let cluster = Self {
            layout,
            account,
            binaries,
            options,
            child: Mutex::new(None),
            stopping: Arc::new(AtomicBool::new(false)),
            _lock: lock,
        };
        let cluster = cluster.initialised().await?;
        cluster.write_settings()?;
        cluster.launch(&mut *cluster.child.lock().await).await?;
        Ok(cluster)
    }

    /// Whether a cluster has been made under `data_dir`, running or not.
    #[must_use]
    pub fn exists(data_dir: &Path) -> bool {
        version_of(&data_dir.join("postgres/data")).is_some()
    }

    /// Where the server under `data_dir` writes its log.
    #[must_use]
    pub fn log_folder(data_dir: &Path) -> PathBuf {
        data_dir.join("postgres/log")
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> &ClusterAddress {
        &self.layout.address
    }

    /// The programs it runs on; `pg_dump` and the like of the same version lie beside them.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// How a driver connects to a database as a role.
    #[must_use]
    pub fn config_for(&self, database: &str, role: &str) -> Config {
        self.layout.address.config_for(database, role)
    }

    /// The same as a URL that psql takes.
    #[must_use]
    pub fn url_for(&self, database: &str, role: &str) -> String {
        self.layout.address.url_for(database, role)
    }

    /// The server's process number, while it runs.
    pub async fn pid(&self) -> Option<u32> {
        self.child.lock().await.as_ref().map(Child::id)
    }

    /// Starts the server again whenever it ends unbidden, until `shutdown` completes.
    pub async fn watch(&self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        let mut pause = WATCH_STEP;
        let (mut log_looked_after, mut urgency_looked_after): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            if log_looked_after.is_none_or(|last| last.elapsed() >= LOG_STEP) {
                log_files::prune(&self.layout.log);
                log_looked_after = Some(Instant::now());
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = sleep(pause) => {}
            }
            let mut child = self.child.lock().await;
            if self.stopping.load(Ordering::Acquire) {
                return;
            }
            let server = child.as_mut().and_then(|child| matches!(child.try_wait(), Ok(None)).then(|| child.id()));
            if let Some(server) = server {
                pause = WATCH_STEP;
                if urgency_looked_after.is_none_or(|last| last.elapsed() >= URGENCY_STEP) {
                    urgency::lower(server);
                    urgency_looked_after = Some(Instant::now());
                }
                continue;
            }
            tracing::error!("PostgreSQL ended unexpectedly; starting it again");
            pause = match self.relaunch(&mut child).await {
                Ok(()) => WATCH_STEP,
                Err(ClusterError::Stopped) => return,
                Err(error) => {
                    tracing::error!(%error, "PostgreSQL did not start again");
                    (pause * 2).clamp(BACKOFF_MIN, BACKOFF_MAX)
                }
            };
        }
    }

    /// Stops the server: open transactions are rolled back, what is committed is on disk.
    ///
    /// # Errors
    /// [`ClusterError::Stuck`] when it does not end.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        self.stopping.store(true, Ordering::Release);
        let mut slot = self.child.lock().await;
        let Some(child) = slot.as_mut() else { return Ok(()) };
        process::stop(child, &self.layout.data).await?;
        *slot = None;
        Ok(())
    }

    /// Leaves the server running without us; the next start on its data directory ends it.
    #[must_use]
    pub fn detach(mut self) -> ClusterAddress {
        self.child.get_mut().take();
        self.layout.address.clone()
    }

    async fn initialised(self) -> Result<Self, ClusterError> {
        if self.layout.data.join("PG_VERSION").exists() {
            return Ok(self);
        }
        let made = tokio::task::spawn_blocking(move || {
            initialise(&self.layout, &self.account, &self.binaries, &self.options)?;
            Ok(self)
        });
        made.await.map_err(|error| ClusterError::Initialise(error.to_string()))?
    }

    fn write_settings(&self) -> Result<(), ClusterError> {
        let (layout, data) = (&self.layout, &self.layout.data);
        layout.write(data, "estore.conf", &settings::estore_conf(layout, &self.binaries, &self.options))?;
        layout.write(data, "pg_hba.conf", settings::HBA)?;
        layout.write(data, "pg_ident.conf", &settings::ident(&self.account))
    }

    async fn relaunch(&self, slot: &mut Option<Child>) -> Result<(), ClusterError> {
        process::end_orphans(&self.layout).await?;
        self.launch(slot).await
    }

    /// Starts the server and waits until it answers; on failure it is stopped again.
    async fn launch(&self, slot: &mut Option<Child>) -> Result<(), ClusterError> {
        let deadline = Instant::now() + Duration::from_secs(self.options.ready_seconds_max);
        let child = slot.insert(process::spawn(&self.layout, &self.account, &self.binaries)?);
        let probe = self.config_for("postgres", ADMINISTRATOR);
        loop {
            if !matches!(child.try_wait(), Ok(None)) {
                *slot = None;
                return Err(ClusterError::Exited(self.layout.last_words()));
            }
            let refusal = match answers(&probe).await {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            };
            let stopping = self.stopping.load(Ordering::Acquire);
            if stopping || Instant::now() >= deadline {
                process::stop(child, &self.layout.data).await?;
                *slot = None;
                let seconds = self.options.ready_seconds_max;
                return Err(if stopping {
                    ClusterError::Stopped
                } else {
                    ClusterError::NotReady { seconds, detail: refusal }
                });
            }
            sleep(POLL).await;
        }
    }
}

impl Drop for PrivateCluster {
    fn drop(&mut self) {
        if let Some(child) = self.child.get_mut() {
            process::send(child.id(), Signal::SIGINT);
        }
    }
}

pub(crate) async fn answers(probe: &Config) -> Result<(), String> {
    match probe.connect(NoTls).await {
        Ok((client, connection)) => {
            drop(client);
            drop(connection);
            Ok(())
        }
        Err(error) => Err(error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())),
    }
}

fn version_of(cluster: &Path) -> Option<u32> {
    fs::read_to_string(cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
}
