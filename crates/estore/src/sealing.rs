//! Seals the audit log, and the books of orders, stock and money, as long as the services run.

use std::sync::Arc;
use std::time::Duration;

use estore_kit::db::Db;
use estore_ops::audit::Sealer;
use estore_ops::backup::{BackupError, SignerKey, SigningKey};
use estore_ops::roles::Service;
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::databases::Databases;
use crate::secrets;

/// How long written rows lie unsealed, about.
const SEAL_EVERY: Duration = Duration::from_secs(5);
/// What is left to the shop between two rounds where many rows wait, as after an upgrade.
const BACKLOG_PAUSE: Duration = Duration::from_millis(200);
/// How often policies, rights, triggers and roles are compared with what was written of them.
const RULES_EVERY: Duration = Duration::from_secs(60);
/// How often the partitions of the coming months are looked after.
const PARTITIONS_EVERY: Duration = Duration::from_secs(3_600);
/// How long the last round at the end may take.
const LAST_ROUND_MAX: Duration = Duration::from_secs(3);
/// The file of the key that signs seals.
const KEY: &str = "audit-key";

/// The key that signs seals, made when missing.
///
/// # Errors
/// When its file cannot be read or made.
pub fn key(config: &Config) -> Result<SigningKey, Box<dyn std::error::Error>> {
    Ok(SigningKey::read_or_make(&secrets::folder(&config.data_dir)?.join(KEY))?)
}

/// Its public half; none where nothing was ever sealed from this data directory.
///
/// # Errors
/// When its file cannot be read.
pub fn signer(config: &Config) -> Result<Option<SignerKey>, BackupError> {
    SignerKey::of(&config.data_dir.join("secrets").join(KEY))
}

/// Seals the databases of these services until `stop`.
///
/// # Errors
/// When a database cannot be addressed, or there can be no key.
pub fn start(
    config: &Config,
    databases: &Databases,
    services: &[Service],
    stop: &CancellationToken,
) -> Result<JoinHandle<()>, Box<dyn std::error::Error>> {
    let key = Arc::new(key(config)?);
    let mut sealers = Vec::new();
    for &service in services {
        let silent_max = Duration::from_secs(config.databases.silent_seconds_max.max(1));
        let db = Db::with_patience(databases.logins(service)?.named("estore-sealer"), 1, silent_max)?;
        sealers.push((service, Sealer::new(service, db, Arc::clone(&key))));
    }
    let stop = stop.clone();
    Ok(tokio::spawn(async move {
        join_all(sealers.into_iter().map(|(service, sealer)| run(service, sealer, &stop))).await;
    }))
}

async fn run(service: Service, mut sealer: Sealer, stop: &CancellationToken) {
    tokio::select! {
        // What is under way is given up: a seal is there or is not.
        () = stop.cancelled() => {}
        () = keep_sealing(service, &mut sealer) => {}
    }
    // What the last requests wrote is sealed now, or by the next process.
    if let Ok(Err(error)) = timeout(LAST_ROUND_MAX, sealer.round()).await {
        tracing::debug!(%service, %error, "the audit log is sealed by the next process");
    }
}

async fn keep_sealing(service: Service, sealer: &mut Sealer) {
    let (mut rules_due, mut partitions_due) = (Instant::now(), Instant::now());
    loop {
        if partitions_due <= Instant::now() {
            match sealer.make_partitions().await {
                Ok(()) => partitions_due = Instant::now() + PARTITIONS_EVERY,
                Err(error) => tracing::warn!(%service, %error, "partitions of the audit log will be made later"),
            }
        }
        if rules_due <= Instant::now() {
            match sealer.note_rules().await {
                Ok(()) => rules_due = Instant::now() + RULES_EVERY,
                Err(error) => tracing::warn!(%service, %error, "changes of rules will be written later"),
            }
        }
        match sealer.round().await {
            Ok(sealed) if sealed.has_more => sleep(BACKLOG_PAUSE).await,
            Ok(_) => sleep(SEAL_EVERY).await,
            Err(error) => {
                tracing::warn!(%service, %error, "the audit log will be sealed later");
                sleep(SEAL_EVERY).await;
            }
        }
    }
}
