//! `estore backup …`.

mod archive_shown;
mod bring_back;
mod pitr;
mod progress;
mod proof;
mod recover;
mod shown;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use estore_ops::backup::{
    self as ops, BackupOptions, FenceOptions, FencePolicy, Identity, Recipients, Retention, SignerKey, SigningKey,
    Target, VerifyOptions,
};
use estore_ops::roles::Service;
use jiff::Timestamp;
use serde_json::json;

use super::migrate;
use crate::cli::{Backup, BackupKeys, BackupMoment, BackupTarget};
use crate::config::Config;
use crate::{Outcome, secrets, stop};
pub use pitr::due;
use progress::Bars;

/// The file of the signing key, among the secrets of the data directory.
const SIGNING_KEY: &str = "backup-signing-key";

/// Whatever stops a backup.
type BackupResult<T> = Result<T, Box<dyn std::error::Error>>;

/// Runs a `backup` command. Ctrl-C gives it up in good order: servers and folders of its own go with it.
pub async fn run(config: Config, command: Backup) -> Outcome {
    let stop = stop::on_signal()?;
    tokio::select! {
        () = stop.cancelled() => Err("stopped; what was begun does not count".into()),
        outcome = work(config, command) => outcome,
    }
}

async fn work(config: Config, command: Backup) -> Outcome {
    match command {
        Backup::Keygen { file } => keygen(&file),
        Backup::Create { .. } => create(&config, command).await,
        Backup::List { target, json } => list(&config, &target, json).await,
        Backup::Verify { id, target, keys, scratch, json } => {
            verify(&config, &id, (&target, &keys), (scratch, json)).await
        }
        Backup::Restore { moment: BackupMoment { to: Some(to), repository, passphrase }, json, .. } => {
            recover::run(&config, &to, (repository, passphrase), json).await
        }
        Backup::Restore { .. } => bring_back::run(&config, command).await,
        Backup::Pitr(command) => pitr::run(&config, command).await,
        Backup::Mark { name, json } => pitr::mark(&config, &name, json).await,
        Backup::Prune { target, keep_days, keep_sets, dry_run, json } => {
            let retention = Retention {
                keep_days: keep_days.unwrap_or(config.backup.keep_days),
                keep_sets: keep_sets.unwrap_or(config.backup.keep_sets),
            };
            prune(&config, &target, retention, (dry_run, json)).await
        }
    }
}

fn keygen(file: &Path) -> Outcome {
    let recipient = ops::generate_identity(file)?;
    println!(
        "The identity is in {}. It alone opens the backups: keep it away from this machine, and a copy of it.",
        file.display()
    );
    println!("Recipient: {recipient}");
    Ok(true)
}

fn open(config: &Config, target: &BackupTarget) -> BackupResult<Target> {
    let url = target.target.as_deref().or(config.backup.target.as_deref());
    let url = url.ok_or("say where the backups are: --target URL, or backup.target in the configuration")?;
    Ok(Target::open(url, std::env::vars())?)
}

/// The key that the backups of this data directory are signed with.
pub fn signing_key(config: &Config) -> BackupResult<SigningKey> {
    Ok(SigningKey::read_or_make(&secrets::folder(&config.data_dir)?.join(SIGNING_KEY))?)
}

fn signer(config: &Config, keys: &BackupKeys) -> BackupResult<SignerKey> {
    known_signer(config, keys.signer.as_deref())?.ok_or_else(|| {
        let own = own_key(config);
        let own = own.display();
        format!("who signs the backups? Give --signer ed25519:… (`estore backup create` prints it); there is no {own}")
            .into()
    })
}

/// Who has to have signed the backups: whoever is named, the configuration's, or the key of the data directory, once
/// there is one.
pub(super) fn known_signer(config: &Config, named: Option<&str>) -> BackupResult<Option<SignerKey>> {
    Ok(match named.or(config.backup.signer.as_deref()) {
        Some(named) if Path::new(named).is_file() => SignerKey::of(Path::new(named))?,
        Some(named) => Some(named.parse()?),
        None => SignerKey::of(&own_key(config))?,
    })
}

fn own_key(config: &Config) -> PathBuf {
    config.data_dir.join("secrets").join(SIGNING_KEY)
}

fn identity(keys: &BackupKeys) -> BackupResult<Option<Identity>> {
    Ok(keys.identity.as_deref().map(Identity::read).transpose()?)
}

async fn create(config: &Config, command: Backup) -> Outcome {
    let Backup::Create { target, recipients, unencrypted, no_fence, fence_if_possible, level, json } = command else {
        return Ok(true);
    };
    let named = if recipients.is_empty() { &config.backup.recipients } else { &recipients };
    let recipients =
        if unencrypted { Recipients::nobody() } else { Recipients::parse(named.iter().map(String::as_str))? };
    let policy = match (no_fence, fence_if_possible) {
        (true, _) => FencePolicy::None,
        (_, true) => FencePolicy::Preferred,
        _ => FencePolicy::Required,
    };
    let target = open(config, &target)?;
    let options = BackupOptions {
        recipients,
        fence: FenceOptions { policy, ..FenceOptions::default() },
        signer: Arc::new(signing_key(config)?),
        compression_level: level,
        estore_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let bars = Bars::new();
    let (databases, cluster) = migrate::open(config, &Service::ALL).await?;
    let sources: Result<Vec<_>, _> = Service::ALL.into_iter().map(|service| databases.backup(service)).collect();
    let created = match sources {
        Ok(sources) => ops::create(&sources, &target, &options, &|event| bars.show(event)).await.map_err(Into::into),
        Err(error) => Err(error.into()),
    };
    bars.clear();
    migrate::close(cluster).await?;
    let created: ops::Created = match created {
        Ok(created) => created,
        Err::<_, Box<dyn std::error::Error>>(error) => return Err(error),
    };
    shown::created(&created, &target, &options.signer.public(), json);
    Ok(true)
}

async fn list(config: &Config, target: &BackupTarget, json: bool) -> Outcome {
    let target = open(config, target)?;
    let sets = ops::list(&target).await?;
    shown::list(&sets, &target, json);
    Ok(true)
}

async fn verify(
    config: &Config,
    id: &str,
    (target, keys): (&BackupTarget, &BackupKeys),
    (scratch, json): (Option<PathBuf>, bool),
) -> Outcome {
    let target = open(config, target)?;
    let inside = || {
        if config.data_dir.is_dir() { config.data_dir.join("scratch") } else { std::env::temp_dir() }
    };
    let options = VerifyOptions {
        identity: identity(keys)?,
        signer: signer(config, keys)?,
        scratch_parent: scratch.unwrap_or_else(inside),
        extra: proof::levels(config),
    };
    let bars = Bars::new();
    let report = ops::verify(&target, id, &options, &|event| bars.show(event)).await;
    bars.clear();
    let report = report?;
    shown::report(&report, json);
    Ok(report.passed)
}

async fn prune(
    config: &Config,
    target: &BackupTarget,
    retention: Retention,
    (dry_run, as_json): (bool, bool),
) -> Outcome {
    let target = open(config, target)?;
    let gone = ops::prune(&target, retention, Timestamp::now(), dry_run).await?;
    if as_json {
        let ids: Vec<&str> = gone.iter().map(|set| set.id.as_str()).collect();
        println!("{}", json!({ "removed": ids, "dry_run": dry_run }));
        return Ok(true);
    }
    for set in &gone {
        println!("{} {}", if dry_run { "would go " } else { "removed  " }, set.id);
    }
    println!("{} backups {}.", gone.len(), if dry_run { "would go" } else { "removed" });
    Ok(true)
}
