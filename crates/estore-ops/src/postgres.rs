//! The private PostgreSQL: found on this machine, made in the data directory, reachable through a
//! unix socket only, started, watched and stopped with the shop.

mod access;
pub(crate) mod account;
mod address;
mod cluster;
mod discover;
mod error;
mod initialise;
pub(crate) mod layout;
mod log_files;
mod process;
pub(crate) mod settings;
pub(crate) mod urgency;

pub use access::ClusterAccess;
pub use address::ClusterAddress;
pub use cluster::{ClusterOptions, PrivateCluster};
pub use discover::{Binaries, VERSION_MIN, discover};
pub use error::ClusterError;
