//! A shop's private PostgreSQL, past its services.

use estore_ops::connection::Connection;
use estore_ops::postgres::ClusterAddress;
use estore_ops::roles::{ADMINISTRATOR, Service};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Shop;

impl Shop {
    /// Kills the private PostgreSQL's postmaster without warning; answers whether there was one.
    pub fn kill_postgresql(&self) -> bool {
        let file = self.address.data_dir.join("postgres/data/postmaster.pid");
        let pid = std::fs::read_to_string(file).ok().and_then(|text| text.lines().next()?.parse().ok());
        pid.is_some_and(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok())
    }

    /// Stops every process of PostgreSQL that serves a service, where it stands. They end with SIGKILL,
    /// or go on with SIGCONT, by their ids.
    ///
    /// # Panics
    /// When the private PostgreSQL does not answer.
    pub async fn pause_sessions(&self, service: Service) -> Vec<Pid> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE usename = ANY ($1)";
        let rows = self.database(service).await.query(sql, &[&vec![service.app(), service.writer()]]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{service} does not answer: {error}"));
        let pids = rows.iter().map(|row| Pid::from_raw(row.get(0)));
        pids.filter(|pid| kill(*pid, Signal::SIGSTOP).is_ok()).collect()
    }

    /// A connection to a service's database as the administrator, past the service and row-level security.
    ///
    /// # Panics
    /// When the private PostgreSQL does not answer.
    pub async fn database(&self, service: Service) -> Connection {
        let address = ClusterAddress::of(&self.address.data_dir);
        let config = address.config_for(service.database(), ADMINISTRATOR);
        Connection::open(&config).await.unwrap_or_else(|error| panic!("{service} does not answer: {error}"))
    }
}
