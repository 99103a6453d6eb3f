//! What those who watch are told.

/// What is being done to the table of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionEvent {
    /// Another runner has the lock of migrations.
    WaitingForRunner,
    /// A step starts; what it does, in words.
    Started(&'static str),
    /// A table was locked by others; it is tried again.
    GaveWay {
        /// The attempt that failed, from 1.
        attempt: u32,
    },
    /// Orders were held up while one step was done.
    Held {
        /// From the first lock asked for to the commit, in microseconds.
        micros: u64,
    },
    /// How far rows were copied.
    Copied {
        /// The last id that was.
        up_to: i64,
        /// The id that the copy ends at, about.
        of: i64,
    },
}
