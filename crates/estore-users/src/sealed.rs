//! The columns of this database that hold sealed fields; `totp_factors.secret` has a key of its own.

use estore_kit::field::{SealedColumn, Sealing};

/// Each of them.
pub const SEALED_COLUMNS: &[SealedColumn] = &[SealedColumn {
    table: "mails",
    check: "letters_are_sealed",
    column: "body",
    sealed_for: ("mails", "body"),
    sealing: Sealing::Whole,
    before_first: "0",
    read: include_str!("../queries/sealed_read_letters.sql"),
    write: include_str!("../queries/sealed_write_letters.sql"),
}];
