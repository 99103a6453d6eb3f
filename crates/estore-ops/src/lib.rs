//! Operation of the databases: the private PostgreSQL, the roles, the migrations, the backups.
//!
//! A library: it prints nothing and reads no environment; the command line calls it.

pub mod backup;
pub mod connection;
pub mod migrate;
pub mod postgres;
pub mod roles;
