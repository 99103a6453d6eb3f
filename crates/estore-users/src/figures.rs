//! What UserService tells of itself, for Prometheus.

use estore_kit::audit::show_unsealed;
use estore_kit::db::DbError;
use estore_kit::metrics::{Family, OUTBOX, Page};

use crate::Users;
use crate::limits::BACKLOG_ROWS_MAX;

const MEASURE: &str = include_str!("../queries/measure_backlog.sql");

const SHED: Family =
    Family::counter("estore_log_ins_shed_total", "Passwords that were not hashed because too many others waited.");
const DELAYED: Family = Family::counter(
    "estore_log_ins_delayed_total",
    "Passwords that were not looked at because wrong ones had been tried too often.",
);
/// What waits, by column.
const BACKLOG: &[(&str, Family)] = &[
    ("mails", Family::gauge("estore_mails_waiting", "Letters that are still to be delivered.")),
    ("mails_seconds", Family::gauge("estore_mails_oldest_seconds", "Age of the oldest of them.")),
];

impl Users {
    /// Shows what this process has counted.
    pub fn show_figures(&self, page: &mut Page) {
        page.sample(&SHED, &[], self.service.hasher.shed());
        page.sample(&DELAYED, &[], self.service.throttle.delayed.value());
    }

    /// Shows what waits in the database.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn show_backlog(&self, page: &mut Page) -> Result<(), DbError> {
        if let Some(row) = self.service.db.row(MEASURE, &[&BACKLOG_ROWS_MAX]).await? {
            page.row(OUTBOX, &[("service", "users")], &row);
            page.row(BACKLOG, &[], &row);
        }
        show_unsealed(&self.service.db, "users", page).await
    }
}
