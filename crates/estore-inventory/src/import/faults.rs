//! What is wrong with a file, row by row, bounded.

use std::fmt;

use super::ImportError;
use crate::limits::IMPORT_ERRORS_MAX;

/// A broken rule at a place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The line on which the record begins; the header is line 1.
    pub line: u64,
    /// The column's name as the header has it; empty where the whole record is meant.
    pub column: String,
    /// A stable word for the rule.
    pub rule: &'static str,
    /// The rule and the mend, for a person.
    pub detail: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, rule, detail } = self;
        if column.is_empty() {
            write!(f, "line {line}: {detail} ({rule})")
        } else {
            write!(f, "line {line}, column {column}: {detail} ({rule})")
        }
    }
}

/// The faults found so far: the first of them by name, all by number.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    named: Vec<RowFault>,
    total: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, line: u64, column: &str, rule: &'static str, detail: impl Into<String>) {
        self.total += 1;
        if self.named.len() < IMPORT_ERRORS_MAX {
            self.named.push(RowFault { line, column: column.to_owned(), rule, detail: detail.into() });
        }
    }

    /// Faults that were counted elsewhere and not all named.
    pub(crate) fn add_unnamed(&mut self, count: u64) {
        self.total += count;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub(crate) fn finish(self) -> Result<(), ImportError> {
        if self.is_empty() { Ok(()) } else { Err(ImportError::Refused { faults: self.named, total: self.total }) }
    }
}
