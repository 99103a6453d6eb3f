//! One step of a database's schema, in both directions.

/// A migration as a service embeds it; the operations crate applies it.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// When it was written, as `YYYYMMDDHHMM`; the order of application.
    pub version: i64,
    /// What it does, in `snake_case`.
    pub name: &'static str,
    /// SQL that applies it. A first line `-- no-transaction` runs its one statement outside a transaction.
    pub up: &'static str,
    /// SQL that takes it back. A first line `-- destructive: …` says what is lost.
    pub down: &'static str,
}
