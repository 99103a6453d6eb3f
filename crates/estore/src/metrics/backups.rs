//! How old the backups are, and what their last proof took.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use estore_kit::metrics::{Family, Page};
use estore_ops::backup::{self, Listed, Target};
use jiff::Timestamp;

use crate::config::Config;

/// How often the target is listed, when somebody asks.
const LIST_EVERY: Duration = Duration::from_secs(300);
/// How long listing may take.
const LIST_TIME_MAX: Duration = Duration::from_secs(60);

const KNOWN: Family = Family::gauge("estore_backup_target_up", "Whether the target of backups could be listed.");
const SETS: Family = Family::gauge("estore_backup_sets", "Complete backups.");
const AGE: Family = Family::gauge("estore_backup_age_seconds", "Age of the newest backup: what would be lost by it.");
const VERIFIED_AGE: Family =
    Family::gauge("estore_backup_verified_age_seconds", "Age of the newest backup that is proven.");
const DRILL_AGE: Family = Family::gauge("estore_backup_drill_age_seconds", "Time since a proof was passed.");
const DRILL_PASSED: Family = Family::gauge("estore_backup_drill_passed", "Whether the last proof was passed.");
const RESTORE: Family = Family::gauge(
    "estore_backup_restore_seconds",
    "How long the last proof took to bring all back: the recovery time.",
);

/// What is known of the backups.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Known {
    /// Complete ones.
    pub sets: usize,
    /// The moment that the newest shows.
    pub newest: Option<Timestamp>,
    /// The moment that the newest proven one shows.
    pub newest_verified: Option<Timestamp>,
    /// The last proof: when, whether it was passed, and how long bringing all back took, in milliseconds.
    pub drill: Option<(Timestamp, bool, u64)>,
    /// The last proof that was passed.
    pub drill_passed: Option<Timestamp>,
}

/// Lists the target now and then, never while somebody waits.
#[derive(Debug)]
pub struct BackupWatch {
    url: String,
    known: Mutex<Option<(Instant, Option<Known>)>>,
    is_listing: AtomicBool,
}

impl BackupWatch {
    /// Of the configured target, if there is one.
    pub fn of(config: &Config) -> Option<Arc<Self>> {
        let url = config.backup.target.clone()?;
        Some(Arc::new(Self { url, known: Mutex::new(None), is_listing: AtomicBool::new(false) }))
    }

    /// What was known at the last listing; none before the first, and where the target could not be listed.
    pub fn known(self: &Arc<Self>) -> Option<Known> {
        self.look()?.1
    }

    /// Shows ages as they are now.
    pub(super) fn show(self: &Arc<Self>, page: &mut Page) {
        let Some((_, known)) = self.look() else { return };
        page.sample(&KNOWN, &[], u8::from(known.is_some()));
        let Some(known) = known else { return };
        let now = Timestamp::now();
        let age = |moment: Timestamp| now.duration_since(moment).as_secs().max(0);
        page.sample(&SETS, &[], known.sets);
        let ages = [(&AGE, known.newest), (&VERIFIED_AGE, known.newest_verified), (&DRILL_AGE, known.drill_passed)];
        for (family, moment) in ages {
            if let Some(moment) = moment {
                page.sample(family, &[], age(moment));
            }
        }
        if let Some((_, passed, millis)) = known.drill {
            page.sample(&DRILL_PASSED, &[], u8::from(passed));
            page.sample(&RESTORE, &[], format!("{}.{:03}", millis / 1000, millis % 1000));
        }
    }

    /// The last listing; begins another one where it is old.
    fn look(self: &Arc<Self>) -> Option<(Instant, Option<Known>)> {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = known.is_none_or(|(at, _)| at.elapsed() > LIST_EVERY);
        if is_old && !self.is_listing.swap(true, Ordering::AcqRel) {
            let watch = Arc::clone(self);
            tokio::spawn(async move {
                let listed = tokio::time::timeout(LIST_TIME_MAX, list(&watch.url)).await;
                let listed = listed.unwrap_or_else(|_late| Err(format!("not listed within {LIST_TIME_MAX:?}").into()));
                if let Err(error) = &listed {
                    tracing::warn!(%error, "the target of backups cannot be listed");
                }
                *watch.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), listed.ok()));
                watch.is_listing.store(false, Ordering::Release);
            });
        }
        known
    }
}

/// Lists a target.
///
/// # Errors
/// When it cannot be reached or read.
pub async fn list(url: &str) -> Result<Known, Box<dyn std::error::Error + Send + Sync>> {
    Ok(known(&backup::list(&Target::open(url, std::env::vars())?).await?))
}

fn known(listed: &[Listed]) -> Known {
    let taken = |set: &Listed| set.manifest.as_ref().map(|manifest| manifest.taken_at);
    let verdicts = listed.iter().filter_map(|set| set.verdict.as_ref());
    let last = verdicts.clone().max_by_key(|verdict| verdict.verified_at);
    Known {
        sets: listed.iter().filter(|set| set.is_backup()).count(),
        newest: listed.iter().filter(|set| set.is_backup()).filter_map(taken).max(),
        newest_verified: listed.iter().filter(|set| set.is_verified()).filter_map(taken).max(),
        drill: last.map(|verdict| (verdict.verified_at, verdict.passed, verdict.restore_millis)),
        drill_passed: verdicts.filter(|verdict| verdict.passed).map(|verdict| verdict.verified_at).max(),
    }
}
