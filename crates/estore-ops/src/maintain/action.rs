//! What was found to be due, and what came of it.

use serde::Serialize;

/// A kind of upkeep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Partitions made ahead, rows in the default partition moved home, old partitions let go.
    Partitions,
    /// Rows whose time is over removed.
    Purge,
    /// Dead rows freed, old rows frozen.
    Vacuum,
    /// The planner's statistics taken anew.
    Analyze,
    /// Indexes full of air built anew, broken ones removed or finished.
    Reindex,
}

impl Task {
    /// All of them, in the order in which they help each other.
    pub const ALL: [Self; 5] = [Self::Partitions, Self::Purge, Self::Vacuum, Self::Analyze, Self::Reindex];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Partitions => "partitions",
            Self::Purge => "purge",
            Self::Vacuum => "vacuum",
            Self::Analyze => "analyze",
            Self::Reindex => "reindex",
        }
    }
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Of which kind.
    pub task: Task,
    /// What it is called: `vacuum`, `analyze`, `reindex`, `drop index`, `purge`, `make partitions`, …
    pub verb: &'static str,
    /// The table, index or kind of rows.
    pub target: String,
    /// Why, with the numbers.
    pub why: String,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum Ending {
    /// It would be done.
    Planned,
    /// It is done.
    Done {
        /// What it brought.
        brought: String,
    },
    /// It gave way, and nothing has changed; the next run tries again.
    GaveWay {
        /// To whom.
        to: String,
    },
    /// It was stopped from outside, or the time was over.
    Stopped,
    /// It did not work.
    Failed {
        /// Why.
        because: String,
    },
}

/// An action, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The database.
    pub database: String,
    /// What.
    #[serde(flatten)]
    pub action: Action,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

impl Report {
    /// Whether somebody must look at it. What gave way or was stopped is tried again by itself.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        matches!(self.ending, Ending::Failed { .. })
    }
}
