//! A promise stated as SQL: the rows it answers are the violations.

/// One check of `estore verify` on one database.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The promise of the design it guards, 1 to 12.
    pub promise: u8,
    /// A short name in `snake_case`, unique within its database.
    pub name: &'static str,
    /// A query answering one text column: a description of each offending row.
    pub sql: &'static str,
}
