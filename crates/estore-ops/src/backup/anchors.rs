//! The seals of the audit that the backups of a target noted.

use super::error::BackupError;
use super::list::list;
use super::manifest::{self, Found};
use super::signature::SignerKey;
use super::store::Target;
use crate::audit::Anchor;
use crate::roles::Service;

/// What the sets of a target that `signer` vouches for noted of each database's audit. Others are passed over: whoever can
/// write to a target could else tell of seals that never were.
///
/// # Errors
/// [`BackupError::Store`], or a manifest that cannot be read.
pub async fn anchors(target: &Target, signer: &SignerKey) -> Result<Vec<Anchor>, BackupError> {
    let mut found = Vec::new();
    for set in list(target).await?.into_iter().filter(|set| set.manifest.is_some()) {
        let Some(Found { manifest, text }) = manifest::find(target, &set.id).await? else { continue };
        if manifest::signature(target, &set.id).await?.check(&text, signer).is_err() {
            continue;
        }
        for database in manifest.databases {
            if let (Some(service), Some(head)) = (Service::named(&database.service), database.audit) {
                found.push(Anchor { service, noted_by: format!("the backup {}", manifest.id), head });
            }
        }
    }
    Ok(found)
}
