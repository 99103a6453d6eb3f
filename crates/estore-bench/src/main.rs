//! Replays a real retailer's year through a running EStore and measures what was promised about speed and size.

mod accounts;
mod api;
mod audit;
mod backup;
mod catalogue;
mod counts;
mod customers;
mod database;
mod document;
mod export;
mod facts;
mod failure;
mod import;
mod killer;
mod load;
mod orders;
mod replay;
mod report;
mod retail;
mod rows;
mod shop;
mod start;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// As estore has it, so that the bare server of the reads is no slower for its allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Replays and benchmarks of EStore, all against the running service.
#[derive(Debug, Parser)]
#[command(name = "estore-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A real retailer's year of invoices as checkouts; every figure must come out to the penny.
    Replay(replay::ReplayArgs),
    /// Time to the first answered request, and memory when idle.
    Start(start::StartArgs),
    /// The product import against a bare COPY of the same rows.
    Import(import::ImportArgs),
    /// Loads: orders at full speed or at a fixed rate.
    #[command(subcommand)]
    Load(load::Load),
    /// What a run of maintenance costs the shop that goes on selling.
    Maintain(load::MaintainArgs),
    /// What it costs the shop that goes on selling to have its orders partitioned.
    Partition(load::PartitionArgs),
    /// Every promise checked on a shop of a million orders that goes on selling.
    Verify(verify::VerifyArgs),
    /// Backups of a large shop against bare pg_dump, the write fence at full load, and what a proof costs.
    Backup(backup::BackupArgs),
    /// What row-level security costs a customer's page of own orders.
    Rows(rows::RowsArgs),
    /// What the audit log costs edits of products, and that it costs sales nothing.
    Audit(audit::AuditArgs),
    /// Write the figures (JSON lines on standard input) as a Markdown page.
    Document(document::DocumentArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let work = run(Cli::parse().command);
    let ended = tokio::select! {
        ended = Box::pin(work) => ended,
        () = asked_to_stop() => Err(Failure::new("stopped by a signal")),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("estore-bench: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether every figure is as it must be.
async fn run(command: Command) -> Result<bool, Failure> {
    match command {
        Command::Replay(args) => replay::run(args).await,
        Command::Start(args) => start::run(args).await,
        Command::Import(args) => import::run(args).await,
        Command::Load(load) => Box::pin(load::run(load)).await,
        Command::Maintain(args) => Box::pin(load::maintain(args)).await,
        Command::Partition(args) => Box::pin(load::partition(args)).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Backup(args) => Box::pin(backup::run(args)).await,
        Command::Rows(args) => rows::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Document(args) => document::run(&args),
    }
}

/// Waits for Ctrl-C or SIGTERM; dropping the work then stops the shop that it started.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
