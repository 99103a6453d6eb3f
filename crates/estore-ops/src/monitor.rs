//! What servers and databases tell of themselves.

pub mod condition;
pub mod exporter;
pub mod lookout;
