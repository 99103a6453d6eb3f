//! The schema of `estore_payments`, embedded.

use estore_kit::audit::{KEEP_AUDIT_LOG, SEAL_AUDIT_LOG};
use estore_kit::migration::Migration;

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            up: include_str!(concat!("../migrations/", $version, "_", $name, "/up.sql")),
            down: include_str!(concat!("../migrations/", $version, "_", $name, "/down.sql")),
        }
    };
}

/// The migrations of `estore_payments`, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    migration!(202611220900, "create_orders"),
    migration!(202611220910, "create_ledger"),
    migration!(202611220920, "create_sandbox"),
    migration!(202611222110, "create_stripe"),
    migration!(202611222120, "create_webhooks"),
    migration!(202611222150, "add_invoices"),
    migration!(202611222160, "create_notices"),
    migration!(202611230100, "undo_keys"),
    migration!(202611230110, "change_webhook_endpoints"),
    migration!(202611230120, "create_disputes"),
    migration!(202611230130, "list_attention"),
    migration!(202611252300, "count_dead_deliveries"),
    migration!(202611260020, "shape_partitions"),
    migration!(202611260035, "close_rows"),
    migration!(202611260315, "erase_customers"),
    KEEP_AUDIT_LOG,
    migration!(202611260335, "audit_payments"),
    SEAL_AUDIT_LOG,
    migration!(202611260345, "seal_ledger_by_age"),
    migration!(202611260420, "check_entries_in_sets"),
    migration!(202611260450, "seal_details"),
];
