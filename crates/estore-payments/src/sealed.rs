//! The columns of this database that hold sealed fields.

use estore_kit::field::{SealedColumn, Sealing};

const NO_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// What copies of metadata are sealed for, and it itself.
const METADATA: (&str, &str) = ("checkouts", "metadata");

macro_rules! column {
    ($table:literal, $column:literal, $sealed_for:expr, $sealing:expr, $before_first:expr, $queries:literal) => {
        SealedColumn {
            table: $table,
            column: $column,
            check: concat!($queries, "_are_sealed"),
            sealed_for: $sealed_for,
            sealing: $sealing,
            before_first: $before_first,
            read: include_str!(concat!("../queries/sealed_read_", $queries, ".sql")),
            write: include_str!(concat!("../queries/sealed_write_", $queries, ".sql")),
        }
    };
}

/// Each of them. Stored answers of before stay as they were answered, and go after their time; a CHECK holds what is in
/// details.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    column!("checkouts", "metadata", METADATA, Sealing::Leaves(""), NO_UUID, "checkouts"),
    column!("orders", "metadata", METADATA, Sealing::Leaves(""), "0", "orders"),
    column!("idempotency_keys", "answer_body", METADATA, Sealing::AsItCame, NO_UUID, "answers"),
    column!("webhook_deliveries", "payload", METADATA, Sealing::Leaves("/data/metadata"), "0", "deliveries"),
    column!("payment_methods", "details", ("payment_methods", "details"), Sealing::AsItCame, "0", "methods"),
];
