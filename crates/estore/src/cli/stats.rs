//! `estore db stats`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use estore_ops::monitor::advice::EVIDENCE_DAYS_MIN;
use estore_ops::monitor::reading::Section;

use super::DatabaseName;

/// A part of what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatsSection {
    /// Statements by what they cost: calls, mean, longest, share, rows, cache, temporary blocks.
    Statements,
    /// The server's own log: slow statements, errors, failed log-ins, waits for locks.
    Log,
    /// Blocks found in the cache, transactions, temporary files, deadlocks, sessions that ended badly.
    Cache,
    /// Sizes of rows, TOAST and indexes apart; dead rows; the last vacuum and analyze.
    Tables,
    /// Indexes by use; unused, duplicate, missing and invalid ones.
    Indexes,
    /// Room in tables and indexes that nobody uses.
    Bloat,
    /// Numbers left, by the column's type.
    Sequences,
    /// Transaction numbers left.
    Wraparound,
    /// Clients by database, role and state; the oldest sessions and transactions.
    Connections,
    /// Who waits for whom, for how long, with which statement.
    Locks,
    /// Standbys, replication slots, archiving.
    Replication,
}

impl StatsSection {
    /// The same for the library.
    pub fn section(self) -> Section {
        match self {
            Self::Statements => Section::Statements,
            Self::Log => Section::Log,
            Self::Cache => Section::Cache,
            Self::Tables => Section::Tables,
            Self::Indexes => Section::Indexes,
            Self::Bloat => Section::Bloat,
            Self::Sequences => Section::Sequences,
            Self::Wraparound => Section::Wraparound,
            Self::Connections => Section::Connections,
            Self::Locks => Section::Locks,
            Self::Replication => Section::Replication,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Args)]
pub struct Stats {
    /// What to tell; all of it unless named.
    #[arg(value_name = "SECTION")]
    pub sections: Vec<StatsSection>,
    /// One database only.
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<DatabaseName>,
    /// Tell what happened since a stored look: its name, or an age such as 1h, which takes the newest look that is as
    /// old. The server stores one each hour. Without it, since the statistics were reset.
    #[arg(long, value_name = "LOOK", conflicts_with = "window")]
    pub since: Option<String>,
    /// Look twice, so long apart, and tell what happened between: 10s, 5m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub window: Option<Duration>,
    /// Store this look under a name, for a later --since.
    #[arg(long, value_name = "NAME")]
    pub save: Option<String>,
    /// How many lines of each table are printed; --json gives all.
    #[arg(long, value_name = "LINES", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
    /// Days that an index must have been watched before it is called unused.
    #[arg(long, value_name = "DAYS", default_value_t = EVIDENCE_DAYS_MIN)]
    pub evidence_days: u32,
    /// The folder of the server's log, of a PostgreSQL of your own [default: that of the private PostgreSQL].
    #[arg(long, value_name = "FOLDER")]
    pub log: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `10s`, `5m`, `2h`, `1d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let refusal = || format!("{text:?} is no time; write a number and s, m, h or d, such as 10s");
    let unit = text.chars().last().ok_or_else(refusal)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(refusal()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| refusal())?;
    let total = number.checked_mul(seconds).filter(|total| (1..=366 * 86_400).contains(total));
    total.map(Duration::from_secs).ok_or_else(|| format!("{text:?} is not between 1s and 366d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_a_bound() {
        assert_eq!(duration("10s").unwrap(), Duration::from_secs(10));
        assert_eq!(duration("2h").unwrap(), Duration::from_secs(7_200));
        for bad in ["", "s", "10", "-1s", "0s", "1w", "99999999999d", "367d", "é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
