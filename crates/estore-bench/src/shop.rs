//! The shop under test: an `estore up` of our own as a child, or one that runs already. Never its insides.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::failure::Failure;

/// How long a start may take before it counts as failed.
const START_TIME_MAX: Duration = Duration::from_secs(90);
/// How long a stop may take before the process is killed.
const STOP_TIME_MAX: Duration = Duration::from_secs(60);
/// How often a starting shop is asked whether it is there.
const READY_POLL: Duration = Duration::from_millis(5);

/// Where the program and its data are.
#[derive(Debug, Clone, Args)]
pub(crate) struct ShopArgs {
    /// The estore program [default: the one beside estore-bench].
    #[arg(long, value_name = "PATH")]
    pub(crate) estore: Option<PathBuf>,
    /// The data directory [default: a fresh one that is removed afterwards].
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A configuration file for estore.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// A shop, its data and, if it is ours, its process.
#[derive(Debug)]
pub(crate) struct Shop {
    binary: PathBuf,
    data_dir: PathBuf,
    config: Option<PathBuf>,
    /// `http://host:port`.
    url: String,
    child: Option<Child>,
    /// Files of ours, readable by the user that estore steps down to.
    scratch: TempDir,
    /// Settings of estore, as variables.
    settings: Vec<(&'static str, String)>,
}

impl Shop {
    /// A shop of our own that is not started yet, on a free port.
    pub(crate) fn new(args: &ShopArgs) -> Result<Self, Failure> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Self::at(args, format!("http://{address}"))
    }

    /// A shop that runs already.
    pub(crate) fn at(args: &ShopArgs, url: String) -> Result<Self, Failure> {
        let binary = match &args.estore {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("estore"),
        };
        if !binary.is_file() {
            let text = format!("{} is not there; build it, or name it with --estore", binary.display());
            return Err(Failure::new(text));
        }
        let readable = Permissions::from_mode(0o755);
        let scratch = tempfile::Builder::new().prefix("estore-bench-").permissions(readable).tempdir()?;
        let data_dir = args.data_dir.clone().unwrap_or_else(|| scratch.path().join("data"));
        Ok(Self { binary, data_dir, config: args.config.clone(), url, child: None, scratch, settings: Vec::new() })
    }

    /// Where it answers, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sets a variable for every estore of this shop that is started from now on.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.settings.push((name, value.to_owned()));
    }

    /// Starts it and waits until it is ready; answers how long that took.
    pub(crate) async fn start(&mut self) -> Result<Duration, Failure> {
        self.end_leftover();
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let began = Instant::now();
        let listen = self.url.trim_start_matches("http://");
        let child = self
            .command(["up", "--listen", listen])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::from(error).while_doing(self.binary.display()))?;
        fs::write(self.lease_path(), child.id().to_string())?;
        self.child = Some(child);
        self.wait_ready(began).await?;
        Ok(began.elapsed())
    }

    async fn wait_ready(&mut self, began: Instant) -> Result<(), Failure> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let ready = format!("{}/health/ready", self.url);
        loop {
            if let Ok(answer) = client.get(&ready).send().await
                && answer.status().is_success()
            {
                return Ok(());
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || began.elapsed() > START_TIME_MAX {
                let how = ended.map_or("is not ready in time".to_owned(), |status| format!("ended with {status}"));
                return Err(Failure::new(format!("estore up {how}\n{}", self.log_tail())));
            }
            tokio::time::sleep(READY_POLL).await;
        }
    }

    /// The process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Its processes, PostgreSQL's not among them.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.pid().into_iter().collect()
    }

    /// The server process of the private PostgreSQL, while it runs.
    pub(crate) fn postgres_pid(&self) -> Option<u32> {
        let lines = fs::read_to_string(self.data_dir.join("postgres/data/postmaster.pid")).ok()?;
        lines.lines().next()?.parse().ok()
    }

    /// Kills estore (and not its PostgreSQL) as a power cut would, and starts it again.
    pub(crate) async fn kill_and_start(&mut self) -> Result<Duration, Failure> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        self.start().await
    }

    /// Asks it to stop and waits; it must end with success.
    pub(crate) async fn stop(&mut self) -> Result<(), Failure> {
        let Some(child) = self.child.take() else { return Ok(()) };
        let ended = tokio::task::spawn_blocking(move || terminate(child)).await??;
        let _gone = fs::remove_file(self.lease_path());
        if ended.success() {
            return Ok(());
        }
        Err(Failure::new(format!("estore up, asked to stop, ended with {ended}\n{}", self.log_tail())))
    }

    /// Runs a subcommand on the shop's data; its standard output if it succeeds.
    pub(crate) async fn run<A: AsRef<OsStr>>(&self, args: &[A], input: Option<&str>) -> Result<String, Failure> {
        let mut command = tokio::process::Command::from(self.command(args));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            tokio::io::AsyncWriteExt::write_all(&mut stdin, input.unwrap_or("").as_bytes()).await?;
        }
        let output = child.wait_with_output().await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let words: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        Err(Failure::new(format!("estore {} ended with {}\n{said}", words.join(" "), output.status)))
    }

    /// Writes a file that estore can read.
    pub(crate) fn write_file(&self, name: &str, content: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.scratch.path().join(name);
        fs::write(&path, content)?;
        fs::set_permissions(&path, Permissions::from_mode(0o644))?;
        Ok(path)
    }

    fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.binary);
        command.envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())));
        command.args(args).arg("--data-dir").arg(&self.data_dir);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command
    }

    fn log_path(&self) -> PathBuf {
        self.scratch.path().join("estore.log")
    }

    fn log_tail(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Holds the pid while our child runs, so that a run after a killed one finds what was left behind.
    fn lease_path(&self) -> PathBuf {
        self.data_dir.with_extension("bench-pid")
    }

    /// Kills the estore that a killed run of ours has left on this data directory.
    fn end_leftover(&self) {
        let Some(pid) = fs::read_to_string(self.lease_path()).ok().and_then(|text| text.parse::<i32>().ok()) else {
            return;
        };
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let dir = self.data_dir.as_os_str().as_encoded_bytes();
        if words.contains(&b"up".as_slice()) && words.contains(&dir) {
            eprintln!("killing process {pid}, which an earlier run has left behind");
            let _dead = kill(Pid::from_raw(pid), Signal::SIGKILL);
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            let _ended = terminate(child);
            let _gone = fs::remove_file(self.lease_path());
        }
    }
}

/// SIGTERM, patience, and SIGKILL when patience ends.
fn terminate(mut child: Child) -> Result<ExitStatus, Failure> {
    kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM)?;
    let began = Instant::now();
    while began.elapsed() < STOP_TIME_MAX {
        if let Some(ended) = child.try_wait()? {
            return Ok(ended);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Err(Failure::new("estore up did not stop in time and was killed"))
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| Failure::new(format!("process {pid} does not tell its memory")))
}
