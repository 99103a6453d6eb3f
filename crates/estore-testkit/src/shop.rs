//! A real shop for tests: the binary, in one process or three, on a data directory of its own.
//!
//! [`Shop::running`] gives a shop that stands for all tests (the `with-shops` binary starts one of each kind), or
//! starts one for this test alone. Tests that kill or stop always start their own with [`Shop::start`].

mod address;
mod database;
mod mail;
mod processes;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

pub use address::{Address, Processes};
use mail::{count_mails, newest_mail};

/// How long a shop may take to start before a test gives up.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a shop may take to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a mail may take before a test gives up.
const MAIL_TIME_MAX: Duration = Duration::from_secs(15);
/// The administrator of every test shop.
pub const ADMIN_EMAIL: &str = "boss@shop.test";
/// Its password, and that of every test customer.
pub const PASSWORD: &str = "correct horse battery staple 7";

/// Process number of `estore db run` where there are three services.
pub const DATABASE: usize = 0;
/// Process number of UserService where there are three.
pub const USERS: usize = 1;
/// Process number of InventoryService where there are three.
pub const INVENTORY: usize = 2;
/// Process number of PaymentService where there are three.
pub const PAYMENTS: usize = 3;
/// What is added to the number of a service for its twin.
pub const TWIN: usize = 3;

/// A shop and, where this test started it, its processes.
#[derive(Debug)]
pub struct Shop {
    /// Where it is reached.
    pub address: Address,
    /// Where the second process of each service is reached, where there is one.
    pub twins: Option<Address>,
    /// One process or three.
    pub processes: Processes,
    binary: PathBuf,
    children: Vec<Child>,
    folder: Option<TempDir>,
}

impl Shop {
    /// The shop that stands for all tests, or one of this test's own.
    pub async fn running(binary: &Path, processes: Processes) -> Self {
        if let Ok(named) = std::env::var(processes.variable()) {
            let address = serde_json::from_str(&named).expect("the variable holds an address");
            let (binary, children) = (binary.to_owned(), Vec::new());
            return Self { address, twins: None, processes, binary, children, folder: None };
        }
        Self::start(binary, processes).await
    }

    /// Starts a shop on a fresh data directory, with an administrator.
    pub async fn start(binary: &Path, processes: Processes) -> Self {
        let folder = tempfile::Builder::new().prefix("estore-shop-").tempdir().expect("a temporary folder");
        // The cluster's own user has to pass through.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).expect("permissions of a folder of ours");
        let address = Address {
            users: String::new(),
            inventory: String::new(),
            payments: String::new(),
            data_dir: folder.path().join("data"),
        };
        let (binary, children) = (binary.to_owned(), Vec::new());
        let mut shop = Self { address, twins: None, processes, binary, children, folder: Some(folder) };
        shop.start_processes().await;
        shop.estore(&["admin", "create", "--email", ADMIN_EMAIL], PASSWORD);
        shop
    }

    /// Waits until process number `which` has ended; answers whether it did within `limit`.
    pub async fn has_ended(&mut self, which: usize, limit: Duration) -> bool {
        let begun = Instant::now();
        while self.children[which].try_wait().expect("a process of ours can be waited for").is_none() {
            if begun.elapsed() > limit {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }

    /// Runs an `estore` command on this shop's data directory; panics with its words when it fails.
    pub fn estore(&self, arguments: &[&str], input: &str) -> String {
        let (ok, out, err) = self.try_estore(arguments, input);
        assert!(ok, "estore {arguments:?} failed:\n{out}\n{err}");
        out
    }

    /// The same, answering whether it worked, its output and its errors.
    pub fn try_estore(&self, arguments: &[&str], input: &str) -> (bool, String, String) {
        use std::io::Write as _;
        let mut child = self.begin_estore(arguments);
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input may have ended already.
            drop(stdin.write_all(input.as_bytes()));
        }
        let output = child.wait_with_output().expect("the binary ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    /// An `estore` command on this shop's data directory that is waited for by whoever asked for it.
    pub fn begin_estore(&self, arguments: &[&str]) -> Child {
        Command::new(&self.binary)
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.address.data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    /// Kills process number `which` (in the order of starting) without warning.
    pub fn kill(&mut self, which: usize) {
        let child = &mut self.children[which];
        child.kill().expect("a process of ours can be killed");
        child.wait().expect("a killed process ends");
    }

    /// Kills every process that this test started, without warning; PostgreSQL is left to the next start.
    pub fn kill_all(&mut self) {
        for which in (0..self.children.len()).rev() {
            self.kill(which);
        }
        self.children.clear();
    }

    /// Stops the shop in good order; answers whether every process ended by itself with success.
    pub fn stop(&mut self) -> bool {
        let mut well = true;
        // Services first, the database's keeper last.
        while let Some(mut child) = self.children.pop() {
            if child.try_wait().expect("a process of ours can be waited for").is_none() {
                let pid = Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"));
                kill(pid, Signal::SIGTERM).ok();
            }
            let begun = Instant::now();
            let ended = loop {
                match child.try_wait().expect("a process of ours can be waited for") {
                    Some(status) => break status.success(),
                    None if begun.elapsed() > STOP_TIME_MAX => {
                        drop(child.kill());
                        drop(child.wait());
                        break false;
                    }
                    None => std::thread::sleep(Duration::from_millis(10)),
                }
            };
            well &= ended;
        }
        well
    }

    /// The newest mail to an address, as text; waits for it for some seconds.
    pub async fn mail_to(&self, email: &str) -> String {
        self.mail_holding(email, "").await
    }

    /// The newest mail to an address that holds `text`.
    pub async fn mail_holding(&self, email: &str, text: &str) -> String {
        let folder = self.address.data_dir.join("mail");
        let begun = Instant::now();
        loop {
            if let Some(mail) = newest_mail(&folder, email, text) {
                return mail;
            }
            assert!(begun.elapsed() < MAIL_TIME_MAX, "no mail to {email} holding {text:?} came");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many mails hold `text`, once there are at least `wanted` or no more have come for a while.
    pub async fn mails_holding(&self, text: &str, wanted: usize) -> usize {
        let folder = self.address.data_dir.join("mail");
        let (mut count, mut since) = (0, Instant::now());
        while count < wanted && since.elapsed() < MAIL_TIME_MAX {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let found = count_mails(&folder, text);
            if found > count {
                (count, since) = (found, Instant::now());
            }
        }
        count_mails(&folder, text)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!("the shop's data and log are kept in {}", folder.keep().display());
        }
    }
}
