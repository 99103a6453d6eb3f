//! Orders as partitions by id: those for the coming orders, if the table is partitioned.

use super::action::{Action, Ending, Task};
use super::error::described;
use super::options::Site;
use crate::migrate::Database;
use crate::partition::{PartitionError, PartitionOptions, partitions_ahead, partitions_due};
use crate::roles::Service;

/// What is due, if anything.
pub(super) async fn due(site: &Site) -> Result<Option<Action>, PartitionError> {
    if site.service != Service::Payments {
        return Ok(None);
    }
    let why = partitions_due(&database(site), &PartitionOptions::default()).await?;
    Ok(why.map(|why| Action {
        task: Task::Partitions,
        verb: "make partitions",
        target: "orders".to_owned(),
        why: why.to_owned(),
    }))
}

/// Does it.
pub(super) async fn make(site: &Site) -> Ending {
    // Maintenance gives way sooner than a person who waits for it.
    let options = PartitionOptions { attempts: 20, ..PartitionOptions::default() };
    match partitions_ahead(&database(site), &options, &mut |_| {}).await {
        Ok(ahead) if ahead.is_limit_lifted => Ending::Done { brought: "orders are not limited any more".to_owned() },
        Ok(ahead) if ahead.made.is_empty() => Ending::Done { brought: "it is up to date".to_owned() },
        Ok(ahead) => Ending::Done { brought: ahead.made.join(", ") },
        Err(PartitionError::LockTimeout { holders, .. }) => Ending::GaveWay { to: holders.join(", ") },
        Err(PartitionError::Database { source, .. }) => Ending::Failed { because: described(&source) },
        Err(error) => Ending::Failed { because: error.to_string() },
    }
}

fn database(site: &Site) -> Database {
    Database { owner: site.owner.clone(), ..Database::of(site.service, site.config.clone()) }
}
