//! Upkeep of a database by need: rows that are dead, statistics that are old, indexes full of air, indexes that a failed
//! build left, partitions for the months to come, rows whose time is over.
//!
//! One action at a time, none of which stands in the way of readers and writers: each waits for its lock for a short time
//! only, and gives up with a word on who held it. Each says why it is done, what it took and what it brought.

mod action;
mod error;
mod home;
mod indexes;
mod look;
mod month;
mod options;
mod orders;
mod partitions;
mod progress;
mod purging;
mod run;
mod session;

pub use action::{Action, Ending, Report, Task};
pub use error::MaintainError;
pub use options::{BecomeOf, MaintainOptions, PartitionRule, Site, Thresholds};
pub use progress::{Event, Progress};
pub use run::maintain;
