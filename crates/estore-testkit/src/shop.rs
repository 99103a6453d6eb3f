//! A real shop for tests: the binary, in one process or three, on a data directory of its own.
//!
//! [`Shop::running`] gives a shop that stands for all tests (the `with-shops` binary starts one of each kind), or
//! starts one for this test alone. Tests that kill or stop always start their own with [`Shop::start`].

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// How long a shop may take to start before a test gives up.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a shop may take to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);
/// The administrator of every test shop.
pub const ADMIN_EMAIL: &str = "boss@shop.test";
/// Its password, and that of every test customer.
pub const PASSWORD: &str = "correct horse battery staple 7";

/// How a shop is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Processes {
    /// `estore up`.
    One,
    /// `estore db run` and `estore serve` for each service.
    Three,
}

impl Processes {
    /// The environment variable that names the standing shop of this kind.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::One => "ESTORE_TEST_SHOP_ONE",
            Self::Three => "ESTORE_TEST_SHOP_THREE",
        }
    }
}

/// Where a shop is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    /// Base URL of UserService.
    pub users: String,
    /// Base URL of InventoryService.
    pub inventory: String,
    /// Base URL of PaymentService.
    pub payments: String,
    /// Its data directory.
    pub data_dir: PathBuf,
}

impl Address {
    /// The URL of a public path, at the service that owns it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        let base = if starts(&["/v1/categories", "/v1/products"]) {
            &self.inventory
        } else if starts(&["/v1/payment-methods", "/v1/checkouts", "/v1/orders"]) {
            &self.payments
        } else {
            &self.users
        };
        format!("{base}{path}")
    }
}

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
        match self.processes {
            Processes::One => {
                let url = free_url(&self.address.users);
                self.spawn(&["up", "--listen", host(&url)], &[]);
                (self.address.users, self.address.inventory, self.address.payments) = (url.clone(), url.clone(), url);
            }
            Processes::Three => {
                self.spawn(&["db", "run"], &[]);
                self.wait_for_database().await;
                let users = free_url(&self.address.users);
                let inventory = free_url(&self.address.inventory);
                let payments = free_url(&self.address.payments);
                let neighbours = [
                    ("ESTORE_SERVICES__USERS_URL", users.as_str()),
                    ("ESTORE_SERVICES__INVENTORY_URL", inventory.as_str()),
                ];
                self.spawn(&["serve", "users", "--listen", host(&users)], &neighbours);
                self.spawn(&["serve", "inventory", "--listen", host(&inventory)], &neighbours);
                self.spawn(&["serve", "payments", "--listen", host(&payments)], &neighbours);
                (self.address.users, self.address.inventory, self.address.payments) = (users, inventory, payments);
            }
        }
        self.wait_until_ready().await;
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
            let pid = Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"));
            kill(pid, Signal::SIGTERM).ok();
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

    fn spawn(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.address.data_dir.parent().unwrap_or(Path::new("/tmp")).join("estore.log"))
            .expect("a log file");
        let child = Command::new(&self.binary)
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.address.data_dir)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.children.push(child);
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

/// A free address; the one used before, when there was one.
fn free_url(before: &str) -> String {
    if !before.is_empty() {
        return before.to_owned();
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("its address"))
}

fn host(url: &str) -> &str {
    url.trim_start_matches("http://")
}

fn newest_mail(folder: &Path, email: &str, text: &str) -> Option<String> {
    let mut mails: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .filter(|(_, path)| path.extension().is_some_and(|kind| kind == "eml"))
        .collect();
    mails.sort();
    mails.into_iter().rev().find_map(|(_, path)| {
        let mail = std::fs::read_to_string(path).ok()?;
        (mail.contains(&format!("To: {email}")) && mail.contains(text)).then_some(mail)
    })
}
