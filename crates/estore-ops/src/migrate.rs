//! Migrations of the three databases, up and down: checksummed both ways, under a lock that is
//! polled and never waited in, each all or nothing.

mod apply;
mod check;
mod error;
mod fingerprint;
mod ledger;
mod migrator;
mod new;
mod plan;
mod script;

//pub use check::{CheckReport, Seed, check};
pub use error::{MigrateError, Position};
pub use ledger::{Entry, State};
pub use migrator::{Database, Direction, Event, MigrateOptions, Migrator, Progress, Report, Standing, silent};
pub use new::new;
pub use plan::Back;
