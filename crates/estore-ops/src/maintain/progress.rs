//! What a run tells while it is at work.

use super::action::{Action, Report};

/// A step of a run.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// An action begins.
    Started {
        /// In which database.
        database: &'a str,
        /// What.
        action: &'a Action,
    },
    /// It goes on.
    Step {
        /// What is done just now, in PostgreSQL's words.
        phase: &'a str,
        /// How far that is, in blocks, rows or sessions; of `total`, which is 0 where nobody knows.
        done: u64,
        /// See `done`.
        total: u64,
    },
    /// It has ended, or would be done.
    Finished(&'a Report),
}

/// Who is told.
pub type Progress<'a> = &'a (dyn Fn(Event<'_>) + Send + Sync);
