//! Which backups may go.

use jiff::Timestamp;

use super::error::BackupError;
use super::list::{Listed, list};
use super::manifest::{MANIFEST, SIGNATURE, VERDICT};
use super::store::Target;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// What is kept at least. A set goes only when neither rule keeps it and it is not the newest proven one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Every set of the last so many days.
    pub keep_days: u32,
    /// So many of the newest complete sets, whatever their age; at least one.
    pub keep_sets: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep_days: 30, keep_sets: 7 }
    }
}

impl Retention {
    /// The sets that may go at that time, oldest first. `sets` are oldest first.
    fn doomed<'a>(&self, sets: &'a [Listed], now: Timestamp) -> Vec<&'a Listed> {
        let complete: Vec<&str> = sets.iter().filter(|set| set.is_backup()).map(|set| set.id.as_str()).collect();
        let newest = complete.iter().rev().take(self.keep_sets.max(1)).copied();
        let proven = sets.iter().rev().find(|set| set.is_verified()).map(|set| set.id.as_str());
        let kept: Vec<&str> = newest.chain(proven).collect();
        let oldest = now.as_second() - i64::from(self.keep_days) * DAY_SECONDS;
        let is_old =
            |set: &&Listed| set.manifest.as_ref().is_some_and(|manifest| manifest.taken_at.as_second() < oldest);
        sets.iter().filter(is_old).filter(|set| !kept.contains(&set.id.as_str())).collect()
    }
}

/// Removes the sets that may go, only files that their manifests list, and answers them. With `pretend`,
/// nothing is removed.
///
/// # Errors
/// [`BackupError::Store`]. A set that was half removed is seen as damaged and goes the next time.
pub async fn prune(
    target: &Target,
    retention: Retention,
    now: Timestamp,
    pretend: bool,
) -> Result<Vec<Listed>, BackupError> {
    let sets = list(target).await?;
    let doomed: Vec<Listed> = retention.doomed(&sets, now).into_iter().cloned().collect();
    for set in doomed.iter().filter(|_| !pretend) {
        let files = set.manifest.iter().flat_map(|manifest| &manifest.files);
        let files: Vec<String> = files.map(|file| format!("{}/{}", set.id, file.name)).collect();
        target.remove(&files).await?;
        // The manifest last: while it is there, the rest can still be found.
        let own = [VERDICT, SIGNATURE, MANIFEST].map(|name| format!("{}/{name}", set.id));
        for name in own {
            target.remove(&[name]).await?;
        }
    }
    Ok(doomed)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::super::level::Verdict;
    use super::super::manifest::Manifest;
    use super::*;

    const NOW: &str = "2026-11-22T12:00:00Z";

    /// A set that is so many days old: `c`omplete, `v`erified, `d`amaged or cu`t`.
    fn set(days: i64, kind: char) -> Listed {
        let taken_at = NOW.parse::<Timestamp>().unwrap() - (days * 24).hours();
        let id = format!("{}-0000", taken_at.strftime("%Y%m%dT%H%M%S.%6fZ"));
        let manifest = Manifest {
            format: 1,
            id: id.clone(),
            estore: String::new(),
            taken_at,
            fence: Default::default(),
            recipients: Vec::new(),
            pg_dump: String::new(),
            files: Vec::new(),
            databases: Vec::new(),
        };
        let verdict = (kind == 'v').then(|| Verdict {
            manifest_sha256: String::new(),
            verified_at: taken_at,
            passed: true,
            restore_millis: 0,
            age_seconds: 0,
            levels: Vec::new(),
        });
        let faults = if "dt".contains(kind) { vec!["damaged".to_owned()] } else { Vec::new() };
        Listed { id, manifest: (kind != 't').then_some(manifest), verdict, faults }
    }

    fn doomed(sets: &[(i64, char)], keep_days: u32, keep_sets: usize) -> Vec<i64> {
        let sets: Vec<Listed> = sets.iter().map(|(days, kind)| set(*days, *kind)).collect();
        let now: Timestamp = NOW.parse().unwrap();
        let doomed = Retention { keep_days, keep_sets }.doomed(&sets, now);
        doomed
            .iter()
            .map(|set| (now.as_second() - set.manifest.as_ref().unwrap().taken_at.as_second()) / DAY_SECONDS)
            .collect()
    }

    #[test]
    fn old_sets_go_but_for_so_many() {
        assert_eq!(doomed(&[(50, 'c'), (40, 'c'), (31, 'c'), (30, 'c'), (1, 'c')], 30, 1), [50, 40, 31]);
        assert_eq!(doomed(&[(50, 'c'), (40, 'c'), (31, 'c')], 30, 2), [50]);
        assert_eq!(doomed(&[(50, 'c')], 30, 0), [0_i64; 0], "the only one is kept even if none is asked for");
    }

    #[test]
    fn the_newest_proven_set_never_goes() {
        assert_eq!(doomed(&[(90, 'v'), (80, 'v'), (70, 'c'), (1, 'c')], 30, 1), [90, 70]);
    }

    #[test]
    fn damaged_sets_do_not_count_as_kept_ones() {
        assert_eq!(doomed(&[(50, 'c'), (40, 'd'), (35, 'd')], 30, 1), [40, 35]);
    }

    #[test]
    fn what_has_no_manifest_is_not_ours_to_remove() {
        assert_eq!(doomed(&[(50, 't'), (1, 'c')], 30, 1), [0_i64; 0]);
    }
}
