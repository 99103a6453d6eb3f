//! What InventoryService tells of itself, for Prometheus.

use estore_kit::audit::show_unsealed;
use estore_kit::db::DbError;
use estore_kit::metrics::{Family, OUTBOX, Page};

use crate::Inventory;
use crate::limits::BACKLOG_ROWS_MAX;

const MEASURE: &str = include_str!("../queries/measure_backlog.sql");

/// What waits, by column.
const BACKLOG: &[(&str, Family)] = &[
    ("holds", Family::gauge("estore_holds_open", "Holds on stock that are neither sold nor released.")),
    ("holds_seconds", Family::gauge("estore_holds_open_oldest_seconds", "Age of the oldest of them.")),
];

impl Inventory {
    /// Shows what this process has counted.
    pub fn show_figures(&self, page: &mut Page) {
        self.holds.figures().show(page, "inventory", "hold");
    }

    /// Shows what waits in the database.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn show_backlog(&self, page: &mut Page) -> Result<(), DbError> {
        if let Some(row) = self.db.row(MEASURE, &[&BACKLOG_ROWS_MAX]).await? {
            page.row(OUTBOX, &[("service", "inventory")], &row);
            page.row(BACKLOG, &[], &row);
        }
        show_unsealed(&self.db, "inventory", page).await
    }
}
