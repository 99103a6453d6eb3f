//! `estore backup restore --to`: all databases as they were at a moment.

use std::path::{Path, PathBuf};

use estore_kit::secret::Secret;
use estore_ops::pitr::{Moment, RecoverOptions, recover_into};
use serde_json::json;
use zeroize::Zeroizing;

use super::BackupResult;
use super::progress::Bars;
use super::shown::seconds;
use crate::Outcome;
use crate::config::Config;

/// Into the data directory, which must be a new one.
pub(super) async fn run(
    config: &Config,
    to: &str,
    (repository, passphrase): (Option<PathBuf>, Option<PathBuf>),
    as_json: bool,
) -> Outcome {
    let moment: Moment = to.parse()?;
    let repository = repository.or_else(|| config.backup.pitr.repository.clone());
    let passphrase = passphrase.or_else(|| config.backup.pitr.passphrase_file.clone());
    let options = RecoverOptions {
        repository: repository
            .ok_or("say where the archive is: --repository FOLDER, or backup.pitr.repository in the configuration")?,
        passphrase: read_passphrase(&passphrase.ok_or(
            "what opens the archive? Give --passphrase FILE, a copy of secrets/pitr-passphrase of the shop's data directory",
        )?)?,
    };
    let bars = Bars::new();
    let recovered = recover_into(&config.data_dir, &moment, &options, &|event| bars.show(event)).await;
    bars.clear();
    let recovered = recovered?;
    if as_json {
        println!(
            "{}",
            json!({ "to": to, "base": recovered.base, "committed_at": recovered.committed_at, "millis": recovered.millis })
        );
        return Ok(true);
    }
    let data_dir = config.data_dir.display();
    println!("Restored  {to}, in {}", seconds(u128::from(recovered.millis)));
    println!("From      base backup {} of {}", recovered.base.label, recovered.base.whole_at);
    if let Some(committed_at) = recovered.committed_at {
        println!("Until     {committed_at}, the last transaction in it");
    }
    println!("Next      estore verify --data-dir {data_dir} && estore up --data-dir {data_dir}");
    println!("          It archives nowhere yet: estore backup pitr setup --repository FOLDER --data-dir {data_dir}");
    Ok(true)
}

fn read_passphrase(file: &Path) -> BackupResult<Secret> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let passphrase = text.trim();
    if passphrase.is_empty() || passphrase.contains(char::is_whitespace) {
        return Err(format!("{} holds no passphrase: one word is wanted", file.display()).into());
    }
    Ok(Secret::from(passphrase))
}
