//! The audit log: the part of the schema that is the same in every database, and how far it is sealed.

use crate::db::{Db, DbError};
use crate::metrics::{Family, Page};
use crate::migration::Migration;

const MEASURE_UNSEALED: &str = include_str!("../queries/measure_unsealed.sql");
const UNSEALED: &[(&str, Family)] = &[(
    "unsealed_seconds",
    Family::gauge("estore_audit_unsealed_seconds", "Age of the oldest change of the audit log that no seal holds yet."),
)];

/// Shows how long the oldest change of a service's database has waited for a seal.
///
/// # Errors
/// When the database does not work.
pub async fn show_unsealed(db: &Db, service: &str, page: &mut Page) -> Result<(), DbError> {
    if let Some(row) = db.row(MEASURE_UNSEALED, &[]).await? {
        page.row(UNSEALED, &[("service", service)], &row);
    }
    Ok(())
}

/// Partitions by month, for a database that has none yet; it needs the function `refuse_change`.
pub const SHAPE_PARTITIONS: Migration = Migration {
    version: 202_611_260_325,
    name: "shape_partitions",
    up: include_str!("../migrations/202611260325_shape_partitions/up.sql"),
    down: include_str!("../migrations/202611260325_shape_partitions/down.sql"),
};

/// The log, and the functions that write it.
pub const KEEP_AUDIT_LOG: Migration = Migration {
    version: 202_611_260_330,
    name: "keep_audit_log",
    up: include_str!("../migrations/202611260330_keep_audit_log/up.sql"),
    down: include_str!("../migrations/202611260330_keep_audit_log/down.sql"),
};

/// The chain of seals over the log and the other books.
pub const SEAL_AUDIT_LOG: Migration = Migration {
    version: 202_611_260_340,
    name: "seal_audit_log",
    up: include_str!("../migrations/202611260340_seal_audit_log/up.sql"),
    down: include_str!("../migrations/202611260340_seal_audit_log/down.sql"),
};
