//! Loads on the running shop, by a client that costs little and checks every answer.

mod bare;
mod buying;
mod client;
mod editing;
mod large;
mod large_data;
mod maintain;
mod measure;
mod orders;
mod partition;
mod pgbench;
mod plot;
mod processor;
mod reading;
mod run;
mod search;
mod searching;
mod stage;
mod table;
mod tally;

use clap::Subcommand;

use crate::failure::Failure;
pub(crate) use maintain::{MaintainArgs, run as maintain};
pub(crate) use partition::{PartitionArgs, run as partition};

/// The loads.
#[derive(Debug, Subcommand)]
pub(crate) enum Load {
    /// Paid orders, closed loop or at a fixed rate; ends with `estore verify`.
    Orders(orders::OrdersArgs),
    /// Searches of a large catalogue beside orders and edits.
    Search(search::SearchArgs),
    /// Orders in a shop with ten million past ones, against the same shop while it was new.
    Large(large_data::LargeArgs),
    /// Every figure about speed that EStore must reach, each against a baseline of the same run.
    Table(table::TableArgs),
    /// A bare server that answers every request with the same bytes: the baseline of reads.
    #[command(hide = true)]
    Bare(bare::BareArgs),
}

/// Runs the load; whether every answer was right, every promise is kept and every figure is reached.
pub(crate) async fn run(load: Load) -> Result<bool, Failure> {
    match load {
        Load::Orders(args) => Box::pin(orders::run(args)).await,
        Load::Search(args) => Box::pin(search::run(args)).await,
        Load::Large(args) => Box::pin(large_data::run(args)).await,
        Load::Table(args) => Box::pin(table::run(args)).await,
        Load::Bare(args) => bare::run(args).await,
    }
}
