//! The tables whose rows are sealed: what only grows, by its position, which is an id or, of the ledger, a time.

use crate::roles::Service;

/// A table of rows that are never changed, and the statements that seal it.
#[derive(Debug)]
pub(super) struct Book {
    /// The table.
    pub(super) name: &'static str,
    /// What a position is: `ids`, or `microseconds`.
    pub(super) unit: &'static str,
    /// The position up to which rows were begun when it is asked.
    pub(super) end: &'static str,
    /// Where batches end: after `$1`, up to `$2`, of `$3` rows, in the `$4` first rows.
    pub(super) cuts: &'static str,
    /// Rows, digest and times of each range after `$1` up to `$2`.
    pub(super) digests: &'static str,
    /// How many rows there are after `$1`.
    pub(super) waiting: &'static str,
}

macro_rules! book {
    ($name:literal, $unit:literal) => {
        Book {
            name: $name,
            unit: $unit,
            end: include_str!(concat!("../../queries/audit/", $name, "_end.sql")),
            cuts: include_str!(concat!("../../queries/audit/", $name, "_cuts.sql")),
            digests: include_str!(concat!("../../queries/audit/", $name, "_digests.sql")),
            waiting: include_str!(concat!("../../queries/audit/", $name, "_waiting.sql")),
        }
    };
}

const AUDIT_LOG: Book = book!("audit_log", "ids");

/// The books of a service's database.
pub(super) fn books(service: Service) -> &'static [Book] {
    const USERS: &[Book] = &[AUDIT_LOG];
    const INVENTORY: &[Book] = &[AUDIT_LOG, book!("stock_movements", "ids")];
    const PAYMENTS: &[Book] = &[AUDIT_LOG, book!("order_events", "ids"), book!("ledger_transactions", "microseconds")];
    match service {
        Service::Users => USERS,
        Service::Inventory => INVENTORY,
        Service::Payments => PAYMENTS,
    }
}
