//! A real shop for tests: the binary, in one process or three, on a data directory of its own.
//!
//! [`Shop::running`] gives a shop that stands for all tests (the `with-shops` binary starts one of each kind), or
//! starts one for this test alone. Tests that kill or stop always start their own with [`Shop::start`].

mod address;
mod database;
mod mail;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

pub use address::{Address, Processes};
use address::{free_url, host};
use mail::newest_mail;

/// How long a shop may take to start before a test gives up.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a shop may take to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);
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

/// A shop and, where this test started it, its processes.
#[derive(Debug)]
pub struct Shop {
    /// Where it is reached.
    pub address: Address,
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
            return Self { address, processes, binary: binary.to_owned(), children: Vec::new(), folder: None };
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
        let mut shop =
            Self { address, processes, binary: binary.to_owned(), children: Vec::new(), folder: Some(folder) };
        shop.start_processes().await;
        shop.estore(&["admin", "create", "--email", ADMIN_EMAIL], PASSWORD);
        shop
    }

    /// Starts the processes (again), on the data directory as it is.
    pub async fn start_processes(&mut self) {
        self.address.users = free_url(&self.address.users);
        match self.processes {
            Processes::One => {
                self.address.inventory.clone_from(&self.address.users);
                self.address.payments.clone_from(&self.address.users);
                self.launch(0, &[]);
            }
            Processes::Three => {
                self.address.inventory = free_url(&self.address.inventory);
                self.address.payments = free_url(&self.address.payments);
                self.launch(DATABASE, &[]);
                self.wait_for_database().await;
                for which in [USERS, INVENTORY, PAYMENTS] {
                    self.launch(which, &[]);
                }
            }
        }
        self.wait_until_ready().await;
    }

    /// Starts process number `which` (again) with further variables, which come before those it has anyway; does not
    /// wait for it.
    pub fn launch(&mut self, which: usize, environment: &[(&str, &str)]) {
        let Address { users, inventory, payments, .. } = self.address.clone();
        let arguments = match (self.processes, which) {
            (Processes::One, _) => vec!["up", "--listen", host(&users)],
            (Processes::Three, DATABASE) => vec!["db", "run"],
            (Processes::Three, USERS) => vec!["serve", "users", "--listen", host(&users)],
            (Processes::Three, INVENTORY) => vec!["serve", "inventory", "--listen", host(&inventory)],
            (Processes::Three, _) => vec!["serve", "payments", "--listen", host(&payments)],
        };
        let mut variables = vec![];
        if self.processes == Processes::Three && which != DATABASE {
            variables.push(("ESTORE_SERVICES__USERS_URL", users.as_str()));
            variables.push(("ESTORE_SERVICES__INVENTORY_URL", inventory.as_str()));
            variables.push(("ESTORE_SERVICES__PAYMENTS_URL", payments.as_str()));
        }
        // Tests receive webhooks on this machine.
        variables.push(("ESTORE_PAYMENTS__WEBHOOKS_ALLOW_PRIVATE", "true"));
        variables.extend_from_slice(environment);
        let child = self.spawn(&arguments, &variables);
        if which < self.children.len() {
            self.children[which] = child;
        } else {
            self.children.push(child);
        }
    }

    /// Kills process number `which` if it lives, and starts it again with further variables.
    pub async fn restart(&mut self, which: usize, environment: &[(&str, &str)]) {
        self.kill(which);
        self.launch(which, environment);
        self.wait_until_ready().await;
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

    /// Waits until every service says it is ready.
    pub async fn wait_until_ready(&self) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let begun = Instant::now();
        for base in [&self.address.users, &self.address.inventory, &self.address.payments] {
            let url = format!("{base}/health/ready");
            while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                assert!(begun.elapsed() < START_TIME_MAX, "{url} was not ready within {START_TIME_MAX:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
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
        let mut child = Command::new(&self.binary)
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.address.data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input may have ended already.
            drop(stdin.write_all(input.as_bytes()));
        }
        let output = child.wait_with_output().expect("the binary ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.success(), text(output.stdout), text(output.stderr))
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
            assert!(begun.elapsed() < Duration::from_secs(15), "no mail to {email} holding {text:?} came");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn spawn(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.address.data_dir.parent().unwrap_or(Path::new("/tmp")).join("estore.log"))
            .expect("a log file");
        Command::new(&self.binary)
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.address.data_dir)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary starts")
    }

    async fn wait_for_database(&self) {
        let begun = Instant::now();
        let secret = self.address.data_dir.join("secrets/service-secret");
        // `db run` writes it when the databases are migrated; on a later start it is there already.
        while !secret.exists() || !self.try_estore(&["db", "migrate", "status"], "").0 {
            assert!(begun.elapsed() < START_TIME_MAX, "the database was not there within {START_TIME_MAX:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
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
