//! A private cluster for one command, whoever runs it.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::address::ClusterAddress;
use super::cluster::{ClusterOptions, PrivateCluster, answers};
use super::error::ClusterError;
use crate::roles::ADMINISTRATOR;

/// How long another estore's server may take to answer, in seconds.
const ATTACH_SECONDS_MAX: u64 = 20;

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
    /// Those of [`PrivateCluster::start`]; [`ClusterError::NotReady`] when the running one does not answer.
    pub async fn open(data_dir: &Path, options: ClusterOptions) -> Result<Self, ClusterError> {
        match PrivateCluster::start(data_dir, options).await {
            Ok(cluster) => Ok(Self::Started(Box::new(cluster))),
            Err(ClusterError::InUse { data_dir, .. }) => {
                let address = ClusterAddress::of(&data_dir);
                wait_for(&address).await?;
                Ok(Self::Attached(address))
            }
            Err(error) => Err(error),
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

/// The other estore may still be starting its server.
async fn wait_for(address: &ClusterAddress) -> Result<(), ClusterError> {
    let probe = address.config_for("postgres", ADMINISTRATOR);
    let deadline = Instant::now() + Duration::from_secs(ATTACH_SECONDS_MAX);
    loop {
        match answers(&probe).await {
            Ok(()) => return Ok(()),
            Err(detail) if Instant::now() >= deadline => {
                return Err(ClusterError::NotReady { seconds: ATTACH_SECONDS_MAX, detail });
            }
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}
