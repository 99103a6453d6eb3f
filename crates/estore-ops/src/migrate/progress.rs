//! What a runner tells those who watch it.

use std::fmt;

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Applied.
    Up,
    /// Taken back.
    Down,
}

impl fmt::Display for Direction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

/// What a runner is doing.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Another runner has the lock.
    WaitingForRunner,
    /// A migration starts; `index` of `total`, from 1.
    Started {
        /// Which way.
        direction: Direction,
        /// Its version.
        version: i64,
        /// Its name.
        name: &'a str,
        /// Its place, from 1.
        index: usize,
        /// How many there are to do.
        total: usize,
    },
    /// `check` turns to a migration; `index` of `total`, from 1.
    Checking {
        /// Its version.
        version: i64,
        /// Its name.
        name: &'a str,
        /// Its place, from 1.
        index: usize,
        /// How many there are.
        total: usize,
    },
    /// A table was locked by others; it is tried again.
    TableLocked {
        /// The migration's version.
        version: i64,
        /// The attempt that failed, from 1.
        attempt: u32,
    },
    /// A migration is done.
    Finished {
        /// Which way.
        direction: Direction,
        /// Its version.
        version: i64,
        /// How long it took, in milliseconds.
        duration_ms: i64,
    },
}

/// Is told what a runner does, as it does it.
pub type Progress<'a> = &'a mut (dyn FnMut(Event<'_>) + Send);

/// Progress for those who do not look.
pub fn silent(_: Event<'_>) {}
