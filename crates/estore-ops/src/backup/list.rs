//! What backups there are, and what is known of each.

use std::collections::BTreeMap;

use super::error::BackupError;
use super::level::Verdict;
use super::manifest::{self, MANIFEST, Manifest, VERDICT};
use super::store::Target;

/// A set of a target.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// What it holds; none for one that was cut before it was a backup.
    pub manifest: Option<Manifest>,
    /// The last proof of it.
    pub verdict: Option<Verdict>,
    /// What is wrong with it by the look of it: files that are missing or of another size.
    pub faults: Vec<String>,
}

impl Listed {
    /// Whether it is a backup: complete by the look of it.
    #[must_use]
    pub fn is_backup(&self) -> bool {
        self.manifest.is_some() && self.faults.is_empty()
    }

    /// Whether its last proof was passed.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.is_backup() && self.verdict.as_ref().is_some_and(|verdict| verdict.passed)
    }
}

/// Every set of a target, oldest first.
///
/// # Errors
/// [`BackupError::Store`].
pub async fn list(target: &Target) -> Result<Vec<Listed>, BackupError> {
    let mut sets: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for stored in target.list(None).await? {
        if let Some((id, name)) = stored.name.split_once('/')
            && is_id(id)
        {
            sets.entry(id.to_owned()).or_default().insert(name.to_owned(), stored.bytes);
        }
    }
    let mut listed = Vec::new();
    for (id, files) in sets {
        listed.push(look_at(target, id, &files).await?);
    }
    Ok(listed)
}

/// `20261122T205504.123456Z-1a2b`, and without the fraction as sets were once named; what else lies in the target
/// is not ours.
fn is_id(text: &str) -> bool {
    let (moment, suffix) = text.split_once('-').unwrap_or_default();
    let (second, fraction) = moment.strip_suffix('Z').map_or(("", None), |moment| match moment.split_once('.') {
        Some((second, fraction)) => (second, Some(fraction)),
        None => (moment, None),
    });
    let is_digits = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    second.split_once('T').is_some_and(|(day, time)| is_digits(day, 8) && is_digits(time, 6))
        && fraction.is_none_or(|fraction| is_digits(fraction, 6))
        && suffix.len() == 4
        && suffix.bytes().all(|byte| byte.is_ascii_hexdigit())
}

async fn look_at(target: &Target, id: String, files: &BTreeMap<String, u64>) -> Result<Listed, BackupError> {
    let mut listed = Listed { id: id.clone(), manifest: None, verdict: None, faults: Vec::new() };
    if !files.contains_key(MANIFEST) {
        listed.faults.push("it has no manifest: it was cut while it was taken, or is being taken".to_owned());
        return Ok(listed);
    }
    let found = match manifest::find(target, &id).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(listed),
        Err(BackupError::Damaged { reason, .. }) => {
            listed.faults.push(reason);
            return Ok(listed);
        }
        Err(error) => return Err(error),
    };
    for file in &found.manifest.files {
        match files.get(&file.name) {
            None => listed.faults.push(format!("{} is missing", file.name)),
            Some(bytes) if *bytes != file.bytes => {
                listed.faults.push(format!("{} has {bytes} bytes and should have {}", file.name, file.bytes));
            }
            Some(_) => {}
        }
    }
    if files.contains_key(VERDICT) {
        let text = target.get_small(&format!("{id}/{VERDICT}")).await?.unwrap_or_default();
        // A verdict of another manifest says nothing of this one.
        listed.verdict = Verdict::read(&text).filter(|verdict| verdict.is_of(&found.text));
    }
    listed.manifest = Some(found.manifest);
    Ok(listed)
}

/// The set of that name, or the newest backup for `latest`.
pub(crate) async fn choose(target: &Target, wanted: &str) -> Result<manifest::Found, BackupError> {
    let missing = || BackupError::NotFound { wanted: wanted.to_owned(), url: target.url().to_owned() };
    let id = if wanted == "latest" {
        let names = target.list(None).await?;
        let manifests = names.iter().filter_map(|stored| stored.name.strip_suffix(MANIFEST)?.strip_suffix('/'));
        manifests.filter(|id| is_id(id)).max().map(str::to_owned).ok_or_else(missing)?
    } else if is_id(wanted) {
        wanted.to_owned()
    } else {
        return Err(missing());
    };
    manifest::find(target, &id).await?.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn sets_are_known_by_their_names() {
        assert!(is_id("20261122T205504.123456Z-1a2b"));
        assert!(is_id("20261122T205504Z-1a2b"), "as sets were once named");
        for other in [
            "",
            "20261122T205504Z",
            "20261122T205504.Z-1a2b",
            "20261122T205504.1234567Z-1a2b",
            "20261122T205504.123456-1a2b",
            "2026112T2205504Z-1a2b",
            "20261122T205504Z-1a2",
            "20261122T205504Z-../x",
            "lost+found-1a2b",
        ] {
            assert!(!is_id(other), "{other}");
        }
    }
}
