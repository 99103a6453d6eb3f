//! `estore keys …`.

use clap::{Args, Subcommand};

/// What to do with the keys of sealed fields.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List the keys, oldest first, and what each does; with --count also how many fields each seals.
    List {
        /// Go through all sealed fields and count them by key. Exits with 1 when a field cannot be read or is in plain.
        #[arg(long)]
        count: bool,
        #[command(flatten)]
        shown: KeysShown,
    },
    /// Make a new key, which seals from now on, and wrap the data keys of all sealed fields by it, while the shop goes on.
    /// What was cut is gone on with by running it again. The old key is retired when nothing needs it any more; it stays
    /// in the file, for old backups.
    Rotate {
        #[command(flatten)]
        shown: KeysShown,
    },
    /// Seal what an older EStore, or a shorter list of personal words, left in plain, while the shop goes on.
    Seal {
        #[command(flatten)]
        shown: KeysShown,
    },
}

/// How it is told.
#[derive(Debug, Clone, Copy, Args)]
pub struct KeysShown {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
