//! The section `[maintenance]`, and the databases as their upkeep needs them.

mod planned;
mod window;

use std::collections::BTreeMap;
use std::time::Duration;

use estore_kit::purge::Purge;
use estore_ops::maintain::{MaintainOptions, PartitionRule, Site, Thresholds};
use estore_ops::roles::Service;
use serde::Deserialize;

use crate::config::Config;
use crate::databases::{AddressError, Databases};
pub use planned::start;
pub use window::{Opening, Window};

/// The section `[maintenance]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintenanceConfig {
    /// When the server does what is due, in cron's syntax and the machine's time; `never` for no schedule. Left out, `up`
    /// does at four each night, and `serve` never.
    pub schedule: Option<String>,
    /// In which hours anything is begun, in the machine's time, such as `01:00-06:00`; `always` for all of them.
    pub window: Window,
    /// How long an action waits for its lock, or for older transactions, before it gives way; in seconds, from 1.
    pub lock_seconds_max: u64,
    /// How many months of partitions are made ahead, from 3 to 24.
    pub months_ahead: i32,
    /// When a table or index is in need.
    pub thresholds: Thresholds,
    /// What becomes of old partitions, by table; kept for ever where nothing is said.
    pub partitions: BTreeMap<String, PartitionRule>,
}

impl Default for MaintenanceConfig {
    fn default() -> Self {
        Self {
            schedule: None,
            window: Window::default(),
            lock_seconds_max: 10,
            months_ahead: 3,
            thresholds: Thresholds::default(),
            partitions: BTreeMap::new(),
        }
    }
}

impl MaintenanceConfig {
    /// Fine, or the key that is wrong and the mend.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=3_600).contains(&self.lock_seconds_max) {
            return Err("maintenance.lock_seconds_max must be from 1 to 3600".to_owned());
        }
        if !(3..=24).contains(&self.months_ahead) {
            return Err("maintenance.months_ahead must be from 3 to 24".to_owned());
        }
        for (table, rule) in &self.partitions {
            let least = PartitionRule::MONTHS_MIN;
            if rule.keep_months < least {
                return Err(format!("maintenance.partitions.{table}.keep_months must be at least {least}"));
            }
        }
        Ok(())
    }

    /// How a run goes about it, without a time to stop.
    pub fn options(&self) -> MaintainOptions {
        MaintainOptions {
            thresholds: self.thresholds.clone(),
            lock_wait: Duration::from_secs(self.lock_seconds_max),
            months_ahead: self.months_ahead,
            rules: self.partitions.clone(),
            ..MaintainOptions::default()
        }
    }
}

/// These services' databases, reached by one who may become their owner.
pub fn sites(config: &Config, databases: &Databases, services: &[Service]) -> Result<Vec<Site>, AddressError> {
    let site = |&service: &Service| {
        let mut connect = databases.administrator(service)?;
        connect.dbname(service.database());
        let (owner, is_local) = (service.owner().to_owned(), databases.is_private(service));
        Ok(Site { service, config: connect, owner, purges: purges(config, service), is_local })
    };
    services.iter().map(site).collect()
}

fn purges(config: &Config, service: Service) -> Vec<Purge> {
    match service {
        Service::Users => estore_users::PURGES.to_vec(),
        Service::Payments => estore_payments::purges(&config.payments),
        // Movements, holds and their lines are its books.
        Service::Inventory => Vec::new(),
    }
}
