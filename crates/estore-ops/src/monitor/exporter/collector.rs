//! A statement whose columns are figures.

use estore_kit::metrics::{Family, Page};
use tokio_postgres::Row;

/// One statement, the columns that tell its rows apart, and those that are figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collector {
    /// What its figures are of.
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    /// Columns of type `text`.
    pub(super) labels: &'static [&'static str],
    /// Columns of type `float8`, and what they are called outside; null is no figure.
    pub(super) figures: &'static [(&'static str, Family)],
}

/// A column that only grows.
pub(super) const fn counter(column: &'static str, name: &'static str, help: &'static str) -> (&'static str, Family) {
    (column, Family::counter(name, help))
}

/// A column that goes up and down.
pub(super) const fn gauge(column: &'static str, name: &'static str, help: &'static str) -> (&'static str, Family) {
    (column, Family::gauge(name, help))
}

impl Collector {
    /// Shows every figure of every row, under `outer` and the row's own labels.
    pub(super) fn show(&self, page: &mut Page, rows: &[Row], outer: &[(&str, &str)]) {
        for row in rows {
            let own = self.labels.iter().map(|label| (*label, row.get::<_, &str>(label)));
            let labels: Vec<(&str, &str)> = outer.iter().copied().chain(own).collect();
            page.row(self.figures, &labels, row);
        }
    }
}
