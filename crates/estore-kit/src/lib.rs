//! What every service shares and no business word is in: problems, input checks, paging,
//! database access, batching, tokens, the HTTP edge and telemetry.

pub mod audit;
pub mod auth;
pub mod batcher;
pub mod certificates;
pub mod check;
pub mod crash;
pub mod db;
pub mod edge;
pub mod extract;
pub mod field;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod key_file;
pub mod listen;
pub mod metrics;
pub mod migration;
pub mod money;
pub mod paging;
pub mod problem;
pub mod purge;
mod recent;
pub mod request;
pub mod secret;
pub mod service_auth;
pub mod service_client;
pub mod telemetry;
pub mod validate;

#[cfg(test)]
mod instructions;
