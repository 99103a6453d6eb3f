//! One file a command.

pub mod admin;
pub mod audit;
pub mod backup;
pub mod db;
pub mod doctor;
pub mod import;
pub mod keys;
pub mod maintain;
pub mod migrate;
pub mod partition;
mod quantity;
pub mod seeds;
pub mod serve;
pub mod stats;
pub mod up;
pub mod verify;
