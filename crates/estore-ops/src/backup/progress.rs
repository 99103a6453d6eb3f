//! What happens while a backup is taken, proven or restored, for whoever shows it.

/// One step.
#[derive(Debug, Clone, Copy)]
pub enum BackupEvent<'a> {
    /// Writers were held back this long, in microseconds.
    Fenced {
        /// The fence's length.
        micros: u64,
    },
    /// A file of the set is begun.
    FileStarted {
        /// Its name in the set.
        name: &'a str,
        /// About how large it is before compression, in bytes, where that is known.
        bytes_expected: Option<u64>,
    },
    /// So many bytes of it have passed.
    FileBytes {
        /// Its name in the set.
        name: &'a str,
        /// Bytes so far.
        bytes: u64,
    },
    /// A file is done.
    FileFinished {
        /// Its name in the set.
        name: &'a str,
    },
    /// The tables of a database are counted and hashed.
    Counted {
        /// The database.
        database: &'a str,
    },
    /// A level of the proof, or a step of a restore, is begun.
    LevelStarted {
        /// Its name.
        name: &'a str,
    },
    /// A level has ended.
    LevelFinished {
        /// Its name.
        name: &'a str,
        /// Whether it was passed.
        passed: bool,
    },
}

/// Told of each step; called from one task at a time.
pub type BackupProgress<'a> = &'a (dyn Fn(BackupEvent<'_>) + Send + Sync);

/// Tells nobody.
pub fn silent(_event: BackupEvent<'_>) {}
