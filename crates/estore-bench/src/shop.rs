//! The shop under test: an `estore up` of our own as a child, or one that runs already. Never its insides.

mod process;

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use tempfile::TempDir;

use crate::failure::Failure;
pub(crate) use process::resident_bytes;
use process::{NO_LIMITS, kill_now, terminate};

/// How long a start may take before it counts as failed.
const START_TIME_MAX: Duration = Duration::from_secs(90);
/// How often a starting shop is asked whether it is there.
const READY_POLL: Duration = Duration::from_millis(5);
/// How often starting databases are asked.
const DATABASES_POLL: Duration = Duration::from_millis(100);

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

/// A shop, its data and, if it is ours, its processes.
#[derive(Debug)]
pub(crate) struct Shop {
    binary: PathBuf,
    data_dir: PathBuf,
    config: Option<PathBuf>,
    /// `http://host:port`.
    url: String,
    /// In the order they were started.
    children: Vec<Child>,
    /// Files of ours, readable by the user that estore steps down to.
    scratch: TempDir,
    /// Settings of estore, as variables.
    settings: Vec<(&'static str, String)>,
}

impl Shop {
    /// A shop of our own that is not started yet, on a free port.
    pub(crate) fn new(args: &ShopArgs) -> Result<Self, Failure> {
        Self::at(args, free_url()?)
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
        Ok(Self {
            binary,
            data_dir,
            config: args.config.clone(),
            url,
            children: Vec::new(),
            scratch,
            settings: NO_LIMITS.map(|(name, off)| (name, off.to_owned())).into(),
        })
    }

    /// Where it answers, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sets a variable for every estore of this shop that is started from now on.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.settings.push((name, value.to_owned()));
    }

    /// Starts it in one process and waits until it is ready; answers how long that took.
    pub(crate) async fn start(&mut self) -> Result<Duration, Failure> {
        self.end_leftover();
        let began = Instant::now();
        let listen = self.url.trim_start_matches("http://").to_owned();
        self.spawn(&["up", "--listen", &listen], &[])?;
        self.wait_ready(&self.url.clone(), began).await?;
        Ok(began.elapsed())
    }

    /// Starts PostgreSQL alone, on data that an earlier start has migrated.
    pub(crate) async fn start_databases(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        self.spawn(&["db", "run"], &[])?;
        while let Err(failure) = self.run(&["db", "migrate", "status"], None).await {
            self.check_alive(began, failure)?;
            tokio::time::sleep(DATABASES_POLL).await;
        }
        Ok(())
    }

    /// Starts each service as a process of its own, on data that an earlier start has migrated. From then on the shop's
    /// URL is that of PaymentService.
    pub(crate) async fn start_three(&mut self) -> Result<(), Failure> {
        let [users, inventory, payments] = [free_url()?, free_url()?, free_url()?];
        let neighbours = [
            ("ESTORE_SERVICES__USERS_URL", users.as_str()),
            ("ESTORE_SERVICES__INVENTORY_URL", inventory.as_str()),
            ("ESTORE_SERVICES__PAYMENTS_URL", payments.as_str()),
        ];
        self.start_databases().await?;
        let began = Instant::now();
        let services = [("users", &users), ("inventory", &inventory), ("payments", &payments)];
        for (service, url) in services {
            self.spawn(&["serve", service, "--listen", url.trim_start_matches("http://")], &neighbours)?;
        }
        for (_, url) in services {
            self.wait_ready(url, began).await?;
        }
        self.url = payments;
        Ok(())
    }

    fn spawn(&mut self, args: &[&str], variables: &[(&str, &str)]) -> Result<(), Failure> {
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let child = self
            .command(args)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::from(error).while_doing(self.binary.display()))?;
        fs::write(self.lease_path(), child.id().to_string())?;
        self.children.push(child);
        Ok(())
    }

    async fn wait_ready(&mut self, url: &str, began: Instant) -> Result<(), Failure> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let ready = format!("{url}/health/ready");
        loop {
            if let Ok(answer) = client.get(&ready).send().await
                && answer.status().is_success()
            {
                return Ok(());
            }
            self.check_alive(began, Failure::new(format!("{url} is not ready")))?;
            tokio::time::sleep(READY_POLL).await;
        }
    }

    /// Fails with `why` and the log when a process has ended or the time for a start is over.
    fn check_alive(&mut self, began: Instant, why: Failure) -> Result<(), Failure> {
        let ended = self.children.iter_mut().find_map(|child| child.try_wait().ok().flatten());
        if ended.is_none() && began.elapsed() <= START_TIME_MAX {
            return Ok(());
        }
        let how = ended.map_or("in time".to_owned(), |status| format!("and estore ended with {status}"));
        Err(Failure::new(format!("{why}, {how}\n{}", self.log_tail())))
    }

    /// The process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.children.first().map(Child::id)
    }

    /// Its processes, PostgreSQL's not among them.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.children.iter().map(Child::id).collect()
    }

    /// The server process of the private PostgreSQL, while it runs.
    pub(crate) fn postgres_pid(&self) -> Option<u32> {
        let lines = fs::read_to_string(self.data_dir.join("postgres/data/postmaster.pid")).ok()?;
        lines.lines().next()?.parse().ok()
    }

    /// Kills estore (and not its PostgreSQL) as a power cut would, and starts it again.
    pub(crate) async fn kill_and_start(&mut self) -> Result<Duration, Failure> {
        for mut child in self.children.drain(..) {
            child.kill()?;
            child.wait()?;
        }
        self.start().await
    }

    /// Asks it to stop and waits; it must end with success. What was started last stops first.
    pub(crate) async fn stop(&mut self) -> Result<(), Failure> {
        while let Some(child) = self.children.pop() {
            let ended = tokio::task::spawn_blocking(move || terminate(child)).await??;
            if !ended.success() {
                let text = format!("estore, asked to stop, ended with {ended}\n{}", self.log_tail());
                return Err(Failure::new(text));
            }
        }
        let _gone = fs::remove_file(self.lease_path());
        Ok(())
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
            kill_now(pid);
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        while let Some(child) = self.children.pop() {
            let _ended = terminate(child);
            let _gone = fs::remove_file(self.lease_path());
        }
    }
}

/// A URL on a port that is free.
fn free_url() -> Result<String, Failure> {
    Ok(format!("http://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?))
}
