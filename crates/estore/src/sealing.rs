//! Seals the audit log, and the books of orders, stock and money, as long as the services run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use estore_kit::db::Db;
use estore_ops::audit::{SealError, Sealer};
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
/// What is left to the shop between two rounds where many rows wait, in times of what a round took.
const REST: u32 = 2;
/// How often policies, rights, triggers and roles are compared with what was written of them.
const RULES_EVERY: Duration = Duration::from_secs(60);
/// How often the partitions of the coming months are looked after.
const PARTITIONS_EVERY: Duration = Duration::from_secs(3_600);
/// How long the last round at the end may take.
const LAST_ROUND_MAX: Duration = Duration::from_secs(3);
/// How long others are waited for before it is said, and how long it is not said again.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long seals of another key are put up with: while keys change hands, they come before the key does.
const OTHER_KEY_MAX: Duration = Duration::from_secs(20);
/// The file of the key that signs seals.
const KEY: &str = "audit-key";

/// The key that signs seals, made when missing.
///
/// # Errors
/// When its file cannot be read or made.
pub fn key(config: &Config) -> Result<SigningKey, Box<dyn std::error::Error>> {
    Ok(SigningKey::read_or_make(&key_file(config)?)?)
}

/// Its file.
///
/// # Errors
/// When the folder of secrets cannot be made.
pub fn key_file(config: &Config) -> std::io::Result<PathBuf> {
    Ok(secrets::folder(&config.data_dir)?.join(KEY))
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
    let (stop, file) = (stop.clone(), key_file(config)?);
    Ok(tokio::spawn(async move {
        join_all(sealers.into_iter().map(|(service, sealer)| run(service, sealer, &file, &stop))).await;
    }))
}

async fn run(service: Service, mut sealer: Sealer, key: &Path, stop: &CancellationToken) {
    tokio::select! {
        // What is under way is given up: a seal is there or is not.
        () = stop.cancelled() => {}
        () = keep_sealing(service, &mut sealer, key) => {}
    }
    // What the last requests wrote is sealed now, or by the next process.
    if let Ok(Err(error)) = timeout(LAST_ROUND_MAX, sealer.round()).await {
        tracing::debug!(%service, %error, "the audit log is sealed by the next process");
    }
}

async fn keep_sealing(service: Service, sealer: &mut Sealer, key: &Path) {
    let (mut others, mut other_key) = (Patience::of(PATIENCE), Patience::of(OTHER_KEY_MAX));
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
        let begun = Instant::now();
        let pause = match sealer.round().await {
            Ok(sealed) => {
                other_key.ends();
                if let Some(seconds) = others.lasts(sealed.waits || sealed.is_others_turn, Instant::now()) {
                    let what = if sealed.waits { "transactions that are still open" } else { "whoever has the turn" };
                    tracing::warn!(%service, seconds, what, "the audit log waits to be sealed: pg_stat_activity says who \
                        it is, or pg_locks (advisory); end the session");
                }
                if sealed.has_more { SEAL_EVERY.min(begun.elapsed() * REST) } else { SEAL_EVERY }
            }
            Err(SealError::OtherKey { number, signer }) => {
                take_anew(service, sealer, key, &signer);
                if other_key.lasts(true, Instant::now()).is_some() {
                    tracing::error!(%service, number, %signer, "nothing is sealed: the newest seal is not signed by our \
                        key, secrets/audit-key. Bring the key back that signed it, or, where that is lost, let this one \
                        go on: estore audit rotate-key --lost-key ed25519:…");
                }
                SEAL_EVERY
            }
            Err(error) => {
                tracing::warn!(%service, %error, "the audit log will be sealed later");
                SEAL_EVERY
            }
        };
        sleep(pause).await;
    }
}

/// Reads the key's file again: it may have changed hands since.
fn take_anew(service: Service, sealer: &mut Sealer, file: &Path, signer: &SignerKey) {
    match SigningKey::read_or_make(file) {
        Ok(key) if key.public() != *signer => {
            tracing::info!(%service, signer = %key.public(), "seals are signed by another key from now on");
            sealer.sign_with(Arc::new(key));
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%service, %error, "the key of seals cannot be read"),
    }
}

/// How long something may last before it is said, again and again.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    since: Option<Instant>,
}

impl Patience {
    fn of(limit: Duration) -> Self {
        Self { limit, since: None }
    }

    /// How many seconds it has lasted since it began or was last said, where that is to be said now.
    fn lasts(&mut self, lasts: bool, now: Instant) -> Option<u64> {
        if !lasts {
            self.ends();
            return None;
        }
        let lasted = now - *self.since.get_or_insert(now);
        (lasted >= self.limit).then(|| {
            self.since = Some(now);
            lasted.as_secs()
        })
    }

    fn ends(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Patience;

    #[test]
    fn what_lasts_is_said_after_a_while_and_then_now_and_again() {
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let mut patience = Patience::of(second * 120);
        assert_eq!(patience.lasts(true, begun), None);
        assert_eq!(patience.lasts(true, begun + second * 119), None);
        assert_eq!(patience.lasts(true, begun + second * 121), Some(121));
        assert_eq!(patience.lasts(true, begun + second * 180), None);
        assert_eq!(patience.lasts(true, begun + second * 241), Some(120));
        assert_eq!(patience.lasts(false, begun + second * 250), None);
        assert_eq!(patience.lasts(true, begun + second * 300), None, "it began anew");
    }
}
