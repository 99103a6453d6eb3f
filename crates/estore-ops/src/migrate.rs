//! Migrations of the three databases, up and down: checksummed both ways, under a lock that is
//! polled and never waited in, each all or nothing.

mod apply;
mod check;
mod error;
mod fingerprint;
mod ledger;
mod migrator;
mod new;
mod partitioned;
mod plan;
mod progress;
mod script;
mod specification;

pub use check::{CheckReport, Seed, check};
pub use error::{MigrateError, Position};
pub use ledger::{Entry, State};
pub use migrator::{Database, MigrateOptions, Migrator, Report, Standing};
pub(crate) use migrator::{open, take_runner_lock};
pub use new::new;
pub use plan::Back;
pub use progress::{Direction, Event, Progress, silent};
pub use specification::compare_with_specification;
