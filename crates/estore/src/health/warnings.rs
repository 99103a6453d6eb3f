//! What should be looked at although requests are served: found in the background, so that asking costs nothing.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use estore_ops::monitor::condition;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Part;
use crate::config::Config;
use crate::databases::Databases;
use crate::findings::{self, Finding, Level};
use crate::metrics::backups::BackupWatch;
use crate::watched::Watched;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What is looked at.
#[derive(Debug)]
pub struct Warnings {
    config: Config,
    watched: Arc<[Watched]>,
    databases: Databases,
    backups: Option<Arc<BackupWatch>>,
    /// What was found last.
    found: RwLock<Vec<Finding>>,
}

impl Warnings {
    /// Of a process that needs these databases. Nothing is found before it watches.
    pub fn new(
        config: &Config,
        watched: Arc<[Watched]>,
        databases: &Databases,
        backups: Option<Arc<BackupWatch>>,
    ) -> Self {
        let (config, databases) = (config.clone(), databases.clone());
        Self { config, watched, databases, backups, found: RwLock::default() }
    }

    /// What is not as it should be, without what was seen: that is nobody's business outside.
    pub(super) fn parts(&self) -> Vec<Part> {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        let part = |finding: &Finding| Part { name: finding.what.clone(), ok: false, mend: finding.mend };
        found.iter().map(part).collect()
    }

    /// Looks until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        loop {
            // A database that falls silent must not hold up the end.
            let found = tokio::select! {
                found = self.look() => found,
                () = stop.cancelled() => return,
            };
            for finding in found.iter().filter(|finding| self.is_new(finding)) {
                tracing::warn!(
                    what = finding.what,
                    told = finding.told,
                    mend = finding.mend,
                    "something is not as it should be"
                );
            }
            *self.found.write().unwrap_or_else(PoisonError::into_inner) = found;
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Once: what stays is shown by the health route as long as it lasts.
    fn is_new(&self, finding: &Finding) -> bool {
        let before = self.found.read().unwrap_or_else(PoisonError::into_inner);
        before.iter().all(|known| known.what != finding.what)
    }

    async fn look(&self) -> Vec<Finding> {
        let mut found = vec![findings::disk(&self.config.data_dir)];
        found.extend(findings::certificates::of(&self.config, Timestamp::now()));
        for watched in self.watched.iter().filter(|watched| watched.is_first) {
            // One that does not answer is told by readiness itself.
            if let Ok(condition) = condition::read(&watched.lookout).await {
                found.extend(findings::server(&condition).into_iter().map(|finding| finding.of(watched.service)));
            }
        }
        for watched in self.watched.iter() {
            found.push(findings::migrations::of(&self.databases, watched.service).await.of(watched.service));
        }
        if let Some(known) = self.backups.as_ref().and_then(|backups| backups.known()) {
            found.push(findings::backups(&known, Timestamp::now()));
        }
        found.retain(|finding| finding.level != Level::Ok);
        found
    }
}
