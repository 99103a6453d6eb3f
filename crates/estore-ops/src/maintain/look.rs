//! Which tables are in need, and of what.

use tokio_postgres::{Error, Row};

use super::action::{Action, Task};
use super::options::Thresholds;
use super::session::Session;

const TABLES: &str = include_str!("../../queries/maintain/tables.sql");

/// A table as its upkeep is judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) oid: u32,
    pub(super) name: String,
    /// Without rows of its own.
    pub(super) is_partitioned: bool,
    /// Never analyzed.
    pub(super) is_unknown: bool,
    /// Rows when it was last vacuumed or analyzed.
    pub(super) known_rows: i64,
    pub(super) live_rows: i64,
    pub(super) dead_rows: i64,
    /// Since it was last analyzed.
    pub(super) changed_rows: i64,
    /// Since it was last vacuumed.
    pub(super) added_rows: i64,
    /// Of its oldest transaction, in transactions.
    pub(super) freeze_age: i64,
}

/// What a table is in need of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) action: Action,
    pub(super) oid: u32,
    pub(super) sql: String,
}

/// The tables that the owner may look after.
pub(super) async fn tables(session: &Session<'_>) -> Result<Vec<Table>, Error> {
    let rows = session.watcher.query(TABLES, &[&session.site.owner]).await?;
    Ok(rows.iter().map(table).collect())
}

fn table(row: &Row) -> Table {
    Table {
        oid: row.get("oid"),
        name: row.get("name"),
        is_partitioned: row.get("is_partitioned"),
        is_unknown: row.get("is_unknown"),
        known_rows: row.get("known_rows"),
        live_rows: row.get("live_rows"),
        dead_rows: row.get("dead_rows"),
        changed_rows: row.get("changed_rows"),
        added_rows: row.get("added_rows"),
        freeze_age: row.get("freeze_age"),
    }
}

/// What these tables are in need of, of the two kinds asked for. A table that needs both gets both in one go.
pub(super) fn needs(tables: &[Table], limits: &Thresholds, tasks: &[Task]) -> Vec<Need> {
    let mut found = Vec::new();
    for table in tables {
        let vacuum = tasks.contains(&Task::Vacuum).then(|| table.why_vacuum(limits)).flatten();
        let analyze = tasks.contains(&Task::Analyze).then(|| table.why_analyze(limits)).flatten();
        let (task, verb, why, sql) = match (vacuum, analyze) {
            (Some((freeze, why)), analyze) => {
                let (verb, also) = if analyze.is_some() { ("vacuum analyze", ", ANALYZE") } else { ("vacuum", "") };
                let freeze = if freeze { ", FREEZE" } else { "" };
                let why = [Some(why), analyze].into_iter().flatten().collect::<Vec<_>>().join("; ");
                // Giving empty pages back to the disk would need a lock that orders wait behind.
                (Task::Vacuum, verb, why, format!("VACUUM (TRUNCATE false, PARALLEL 0{freeze}{also}) {}", table.name))
            }
            (None, Some(why)) => (Task::Analyze, "analyze", why, format!("ANALYZE {}", table.name)),
            (None, None) => continue,
        };
        let action = Action { task, verb, target: table.name.clone(), why };
        found.push(Need { action, oid: table.oid, sql });
    }
    found
}

impl Table {
    /// Whether to freeze, and why it is to be vacuumed.
    fn why_vacuum(&self, limits: &Thresholds) -> Option<(bool, String)> {
        if self.is_partitioned {
            return None;
        }
        if self.freeze_age >= limits.freeze_age {
            return Some((true, format!("its oldest rows are {} transactions old", self.freeze_age)));
        }
        let all = self.live_rows + self.dead_rows;
        if self.dead_rows >= limits.dead_rows && share(self.dead_rows, all) >= limits.dead_percent {
            let percent = share(self.dead_rows, all);
            return Some((false, format!("{} of {all} rows are dead ({percent} %)", self.dead_rows)));
        }
        if self.added_rows >= limits.added_rows && share(self.added_rows, self.live_rows) >= limits.added_percent {
            let percent = share(self.added_rows, self.live_rows);
            return Some((false, format!("{} rows were added since the last vacuum ({percent} %)", self.added_rows)));
        }
        None
    }

    fn why_analyze(&self, limits: &Thresholds) -> Option<String> {
        if self.is_unknown && self.live_rows > 0 {
            return Some(format!("its {} rows were never analyzed", self.live_rows));
        }
        let rows = self.known_rows.max(self.live_rows);
        let percent = share(self.changed_rows, rows);
        let due = self.changed_rows >= limits.changed_rows && percent >= limits.changed_percent;
        due.then(|| format!("{} of {rows} rows have changed since it was analyzed ({percent} %)", self.changed_rows))
    }
}

/// How many percent `part` is of `all`.
pub(super) fn share(part: i64, all: i64) -> i64 {
    part.saturating_mul(100) / all.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> Table {
        Table { oid: 1, name: "orders".to_owned(), live_rows: 90_000, known_rows: 90_000, ..Table::default() }
    }

    fn verbs(table: Table) -> Vec<&'static str> {
        let found = needs(&[table], &Thresholds::default(), &Task::ALL);
        found.iter().map(|need| need.action.verb).collect()
    }

    #[test]
    fn a_number_and_a_share_must_both_be_reached() {
        assert!(verbs(orders()).is_empty());
        assert!(verbs(Table { dead_rows: 9_999, ..orders() }).is_empty());
        assert_eq!(verbs(Table { dead_rows: 10_000, ..orders() }), ["vacuum"]);
        assert!(verbs(Table { dead_rows: 10_000, live_rows: 90_001, ..orders() }).is_empty(), "under ten percent");
        assert!(verbs(Table { dead_rows: 500, live_rows: 100, known_rows: 100, ..orders() }).is_empty(), "few rows");
    }

    #[test]
    fn what_is_needed_together_is_done_together() {
        assert_eq!(verbs(Table { changed_rows: 10_000, ..orders() }), ["analyze"]);
        let both = Table { changed_rows: 20_000, dead_rows: 20_000, ..orders() };
        assert_eq!(verbs(both.clone()), ["vacuum analyze"]);
        let found = needs(&[both], &Thresholds::default(), &[Task::Analyze]);
        assert_eq!(found[0].sql, "ANALYZE orders");
    }

    #[test]
    fn old_rows_are_frozen_and_added_ones_looked_at() {
        let old = needs(&[Table { freeze_age: 150_000_000, ..orders() }], &Thresholds::default(), &Task::ALL);
        assert_eq!(old[0].sql, "VACUUM (TRUNCATE false, PARALLEL 0, FREEZE) orders");
        assert_eq!(
            verbs(Table { added_rows: 100_000, live_rows: 400_000, known_rows: 400_000, ..orders() }),
            ["vacuum"]
        );
        assert_eq!(verbs(Table { is_unknown: true, ..orders() }), ["analyze"]);
    }

    #[test]
    fn a_partitioned_table_is_analyzed_and_never_vacuumed() {
        let parent = Table {
            is_partitioned: true,
            changed_rows: 50_000,
            dead_rows: 50_000,
            freeze_age: 900_000_000,
            ..orders()
        };
        assert_eq!(verbs(parent), ["analyze"]);
    }
}
