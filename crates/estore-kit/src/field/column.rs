//! The columns that hold sealed fields, for whatever goes through all of them: new keys, counting, checks.

use super::Place;

/// What is to be sealed in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// The personal leaves beneath this place in its JSON, a JSON pointer.
    Leaves(&'static str),
    /// All of it.
    Whole,
    /// What is in plain stays so.
    AsItCame,
}

/// One such column.
#[derive(Debug, Clone, Copy)]
pub struct SealedColumn {
    /// Its table.
    pub table: &'static str,
    /// What the check of `estore verify` is called that looks at it, in `snake_case`.
    pub check: &'static str,
    /// Its name.
    pub column: &'static str,
    /// The table and column that its fields are sealed for: another where they are copies.
    pub sealed_for: (&'static str, &'static str),
    /// What is to be sealed.
    pub sealing: Sealing,
    /// What comes before the first row's key, as text.
    pub before_first: &'static str,
    /// A page of at most `$2` rows after the key `$1`: their `key`, the `row` they are sealed for, both text, and the `text`
    /// of the column, null where there is nothing in it.
    pub read: &'static str,
    /// Puts the texts `$3` in the place of `$2` in the rows of the keys `$1`, and passes over those that others hold or
    /// have changed.
    pub write: &'static str,
}

impl SealedColumn {
    /// Where the fields of a row are sealed for.
    #[must_use]
    pub fn place<'a>(&self, row: &'a str) -> Place<&'a str> {
        Place { table: self.sealed_for.0, column: self.sealed_for.1, row }
    }
}
