//! `estore db maintain`.

use clap::{Args, ValueEnum};
use estore_ops::maintain::Task;

use super::DatabaseName;

/// A kind of upkeep, as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TaskName {
    /// Dead rows freed, old rows frozen.
    Vacuum,
    /// The planner's statistics taken anew.
    Analyze,
    /// Indexes full of air built anew, broken ones removed or finished.
    Reindex,
    /// Partitions made ahead, rows in default partitions moved home, old ones let go by rule.
    Partitions,
    /// Rows whose time is over removed.
    Purge,
}

impl From<TaskName> for Task {
    fn from(name: TaskName) -> Self {
        match name {
            TaskName::Vacuum => Self::Vacuum,
            TaskName::Analyze => Self::Analyze,
            TaskName::Reindex => Self::Reindex,
            TaskName::Partitions => Self::Partitions,
            TaskName::Purge => Self::Purge,
        }
    }
}

/// What to maintain, and when.
#[derive(Debug, Clone, Args)]
pub struct Maintain {
    /// One database only.
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<DatabaseName>,
    /// Tell what is due, and why; do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// These kinds only.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub only: Vec<TaskName>,
    /// At once, whatever maintenance.window of the configuration says.
    #[arg(long)]
    pub now: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
