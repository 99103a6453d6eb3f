//! Operation of the databases: the private PostgreSQL, the roles, the migrations, the audit, the backups, recovery to any
//! moment, monitoring, the upkeep.
//!
//! A library: it prints nothing and reads no environment; the command line calls it.

pub mod audit;
pub mod backup;
pub mod connection;
pub mod fields;
pub mod maintain;
pub mod migrate;
pub mod monitor;
pub mod partition;
pub mod pitr;
pub mod postgres;
pub mod roles;
