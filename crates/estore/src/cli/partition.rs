//! `estore db partition …`.

use clap::{Args, ValueEnum};

/// What to partition, and how.
#[derive(Debug, Clone, Args)]
pub struct Partition {
    /// Which table.
    pub table: PartitionTable,
    /// Back into one table.
    #[arg(long)]
    pub back: bool,
    /// Tell how the table stands; change nothing.
    #[arg(long, conflicts_with_all = ["back", "dry_run"])]
    pub status: bool,
    /// Tell what would be done; change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Ids of each new partition [default: as the partitions there are, or else 10,000,000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(100..=1_000_000_000))]
    pub rows: Option<i64>,
    /// How many partitions are kept ready beyond the next id; after them comes an open one.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub ahead: u32,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The tables that can be partitioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PartitionTable {
    /// The orders of the payments database.
    Orders,
}
