//! A private cluster for one command, whoever runs it.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::address::ClusterAddress;
use super::cluster::{ClusterOptions, PrivateCluster, answers};
use super::error::ClusterError;
use crate::roles::ADMINISTRATOR;

/// Between two looks at a server that another estore is starting.
const PAUSE: Duration = Duration::from_millis(50);

/// A private cluster for one command: the one that runs, or one started for as long as it is held.
#[derive(Debug)]
pub enum ClusterAccess {
    /// Another estore runs it.
    Attached(ClusterAddress),
    /// This process runs it; call [`ClusterAccess::close`].
    Started(Box<PrivateCluster>),
}

impl ClusterAccess {
    /// Attaches to the running cluster of `data_dir`, or starts it.
    ///
    /// # Errors
    /// Those of [`PrivateCluster::start`]; [`ClusterError::NotReady`] when another's does not answer within the time
    /// that a server may take to start.
    pub async fn open(data_dir: &Path, options: ClusterOptions) -> Result<Self, ClusterError> {
        let seconds = options.ready_seconds_max;
        let deadline = Instant::now() + Duration::from_secs(seconds);
        // The other estore may still be starting its server, or give up: then it is ours to start.
        loop {
            let data_dir = match PrivateCluster::start(data_dir, options.clone()).await {
                Ok(cluster) => return Ok(Self::Started(Box::new(cluster))),
                Err(ClusterError::InUse { data_dir, .. }) => data_dir,
                Err(error) => return Err(error),
            };
            let address = ClusterAddress::of(&data_dir);
            match answers(&address.config_for("postgres", ADMINISTRATOR)).await {
                Ok(()) => return Ok(Self::Attached(address)),
                Err(detail) if Instant::now() >= deadline => return Err(ClusterError::NotReady { seconds, detail }),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> &ClusterAddress {
        match self {
            Self::Attached(address) => address,
            Self::Started(cluster) => cluster.address(),
        }
    }

    /// Stops what this process started.
    ///
    /// # Errors
    /// [`ClusterError::Stuck`] when it does not end.
    pub async fn close(self) -> Result<(), ClusterError> {
        match self {
            Self::Attached(_) => Ok(()),
            Self::Started(cluster) => cluster.stop().await,
        }
    }
}
