//! A promise stated as SQL: the rows it answers are the violations.

/// A customer reads only what is theirs.
const OWN_ROWS: u8 = 8;

/// Every table that names a user closes its rows; for each database.
pub const ROWS_ARE_CLOSED: Check =
    Check { promise: OWN_ROWS, name: "rows_are_closed", sql: include_str!("../queries/check_rows_are_closed.sql") };

/// No role that a service uses could pass by that; for each database.
pub const ROLES_ARE_NARROW: Check =
    Check { promise: OWN_ROWS, name: "roles_are_narrow", sql: include_str!("../queries/check_roles_are_narrow.sql") };

/// What changes is written down, and nobody has switched that off; for each database.
pub const AUDIT_IS_WRITTEN: Check =
    Check { promise: OWN_ROWS, name: "audit_is_written", sql: include_str!("../queries/check_audit_is_written.sql") };

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
