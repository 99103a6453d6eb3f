//! The processes of a shop that a test started: starting, stopping for a while, waiting.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::address::{free_url, host};
use super::{Address, DATABASE, INVENTORY, PAYMENTS, Processes, START_TIME_MAX, Shop, TWIN, USERS};

/// Tests send more from one account and one address than people do; those about limits set their own.
const NO_LIMITS: [(&str, &str); 4] = [
    ("ESTORE_EDGE__CONNECTIONS_PER_ADDRESS_MAX", "10000"),
    ("ESTORE_RATE_LIMITS__ACCOUNT_WRITES", "0"),
    ("ESTORE_RATE_LIMITS__ADDRESS_WRITES", "0"),
    ("ESTORE_RATE_LIMITS__LOG_INS", "0"),
];

impl Shop {
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
        let is_twin = which > PAYMENTS;
        let address = if is_twin { self.twins.as_ref().expect("there are twins") } else { &self.address };
        let Address { users, inventory, payments, .. } = address.clone();
        let arguments = match (self.processes, if is_twin { which - TWIN } else { which }) {
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
        variables.extend(NO_LIMITS);
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

    /// Starts a second process of each service on the same databases. Twins call twins; their numbers are those of the
    /// first processes and [`TWIN`].
    ///
    /// # Panics
    /// When the shop is not in three processes.
    pub async fn start_twins(&mut self, environment: &[(&str, &str)]) {
        assert_eq!(self.processes, Processes::Three, "twins are services in processes of their own");
        let data_dir = self.address.data_dir.clone();
        let (users, inventory, payments) = (free_url(""), free_url(""), free_url(""));
        self.twins = Some(Address { users, inventory, payments, data_dir });
        for which in [USERS, INVENTORY, PAYMENTS] {
            self.launch(which + TWIN, environment);
        }
        self.wait_until_ready().await;
    }

    /// How many processes this shop has.
    #[must_use]
    pub fn count(&self) -> usize {
        match (self.processes, &self.twins) {
            (Processes::One, _) => 1,
            (Processes::Three, None) => 4,
            (Processes::Three, Some(_)) => 7,
        }
    }

    /// Stops process number `which` where it stands, until [`Shop::resume`].
    pub fn pause(&self, which: usize) {
        kill(self.pid(which), Signal::SIGSTOP).expect("a process of ours can be stopped");
    }

    /// Lets a paused process go on.
    pub fn resume(&self, which: usize) {
        kill(self.pid(which), Signal::SIGCONT).expect("a process of ours can go on");
    }

    fn pid(&self, which: usize) -> Pid {
        Pid::from_raw(i32::try_from(self.children[which].id()).expect("process ids are small"))
    }

    /// Waits until every service says it is ready.
    pub async fn wait_until_ready(&self) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let begun = Instant::now();
        let addresses = std::iter::once(&self.address).chain(&self.twins);
        for base in addresses.flat_map(|address| [&address.users, &address.inventory, &address.payments]) {
            let url = format!("{base}/health/ready");
            while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                assert!(begun.elapsed() < START_TIME_MAX, "{url} was not ready within {START_TIME_MAX:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
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
