//! The server's processes: our child, and what a killed predecessor left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::account::Account;
use super::discover::Binaries;
use super::error::ClusterError;
use super::layout::Layout;

const STEP: Duration = Duration::from_millis(10);
/// How long a fast shutdown may take before the server is told to leave recovery to the next start.
const FAST_STOP_SECONDS_MAX: u64 = 60;
/// How long an immediate shutdown may take.
const QUICK_STOP_SECONDS_MAX: u64 = 20;
/// How long the processes of a killed server may take to notice, before they are told.
const NOTICE_SECONDS_MAX: u64 = 2;

/// Starts the server as a child of ours.
pub(crate) fn spawn(layout: &Layout, account: &Account, binaries: &Binaries) -> Result<Child, ClusterError> {
    drop(fs::remove_file(&layout.first_words));
    let words = fs::File::create_new(&layout.first_words)
        .map_err(|error| ClusterError::file("write", &layout.first_words, error))?;
    let program = binaries.program("postgres");
    account
        .command(&program)
        .arg("-D")
        .arg(&layout.data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(words)
        .spawn()
        .map_err(|error| ClusterError::file("run", &program, error))
}

/// Stops a child: fast first, then without a checkpoint; never by SIGKILL.
pub(crate) async fn stop(child: &mut Child, data_dir: &Path) -> Result<(), ClusterError> {
    let pid = child.id();
    for (signal, seconds) in [(Signal::SIGINT, FAST_STOP_SECONDS_MAX), (Signal::SIGQUIT, QUICK_STOP_SECONDS_MAX)] {
        if !matches!(child.try_wait(), Ok(None)) {
            return Ok(());
        }
        send(pid, signal);
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < deadline {
            if !matches!(child.try_wait(), Ok(None)) {
                return Ok(());
            }
            sleep(STEP).await;
        }
    }
    Err(ClusterError::Stuck { pid, data_dir: data_dir.to_owned() })
}

/// Ends whatever still runs on the cluster's folder. The caller holds the data directory's lock, so
/// these are orphans: a server whose estore was killed, or the children of a killed server.
pub(crate) async fn end_orphans(layout: &Layout) -> Result<(), ClusterError> {
    if let Some(pid) = postmaster(&layout.data) {
        tracing::warn!(pid, "stopping the PostgreSQL that an ended estore left behind");
        send(pid, Signal::SIGINT);
        if !gone_within(&layout.data, Some(pid), FAST_STOP_SECONDS_MAX).await {
            send(pid, Signal::SIGQUIT);
        }
        if !gone_within(&layout.data, Some(pid), QUICK_STOP_SECONDS_MAX).await {
            return Err(ClusterError::Stuck { pid, data_dir: layout.data.clone() });
        }
    }
    for signal in [None, Some(Signal::SIGTERM), Some(Signal::SIGQUIT)] {
        for pid in on_folder(&layout.data) {
            if let Some(signal) = signal {
                send(pid, signal);
            }
        }
        if gone_within(&layout.data, None, NOTICE_SECONDS_MAX).await {
            clear_stale_files(layout);
            return Ok(());
        }
    }
    match on_folder(&layout.data).first() {
        Some(&pid) => Err(ClusterError::Stuck { pid, data_dir: layout.data.clone() }),
        None => Ok(()),
    }
}

/// Nothing runs on the folder now, so these name processes that are gone. Left in place they stop
/// the server whenever their number has been given to a stranger, as in a restarted container.
fn clear_stale_files(layout: &Layout) {
    let socket_dir = layout.address.socket_dir();
    let stale = ["postmaster.pid"].map(|name| layout.data.join(name));
    let sockets = [".s.PGSQL.5432", ".s.PGSQL.5432.lock"].map(|name| socket_dir.join(name));
    for path in stale.iter().chain(&sockets) {
        drop(fs::remove_file(path));
    }
}

async fn gone_within(data_dir: &Path, only: Option<u32>, seconds: u64) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        let left = on_folder(data_dir);
        let gone = only.map_or(left.is_empty(), |pid| !left.contains(&pid));
        if gone || Instant::now() >= deadline {
            return gone;
        }
        sleep(STEP).await;
    }
}

/// The server of the folder: named in `postmaster.pid` and really at work there.
pub(crate) fn postmaster(data_dir: &Path) -> Option<u32> {
    let text = fs::read_to_string(data_dir.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    works_on(pid, data_dir).then_some(pid)
}

/// Every process whose working folder is the cluster's: each process of a server's is there, and a
/// zombie or a stranger with a reused number is not.
fn on_folder(data_dir: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| works_on(*pid, data_dir))
        .collect()
}

fn works_on(pid: u32, data_dir: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    fs::read_link(process.join("cwd")).is_ok_and(|folder| folder == data_dir)
        && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.starts_with("postgres"))
}

/// Sends a signal; a process that is gone already is no error.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        let _gone = kill(Pid::from_raw(pid), signal);
    }
}
