//! What the `estore` binary is: reads the command line and hands over to the command.

mod cli;
mod commands;
mod config;
mod databases;
mod demo;
mod fields;
mod findings;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod health;
mod looks;
mod maintenance;
mod metrics;
mod openapi;
mod schedule;
mod sealing;
mod secrets;
mod services;
mod stop;
mod verify;
mod watched;

use std::panic;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::config::Config;

/// What a command ends with: `true` when all is well, `false` when it found something wrong and said so.
type Outcome = Result<bool, Box<dyn std::error::Error>>;

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    keep_quiet_where_nobody_reads();
    let cli = Cli::parse();
    match start(cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(under) = cause {
                eprintln!("  because: {under}");
                cause = under.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// `println!` panics once its reader is gone (`estore db stats | head`). That ends the command and what it started, as it
/// should, and is nothing to be told about.
fn keep_quiet_where_nobody_reads() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or_default();
        if !(text.starts_with("failed printing to stdout") && text.contains("Broken pipe")) {
            tell(info);
        }
    }));
}

fn start(cli: Cli) -> Outcome {
    let config = Config::load(&cli.place)?;
    if let Some(file) = &config.databases.ca_file {
        estore_kit::db::trust(file)?;
    }
    estore_kit::telemetry::start(&config.log, config.log_json);
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider is already installed");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(cli.command, config))
}

async fn run(command: Command, config: Config) -> Outcome {
    match command {
        Command::Up { listen, demo } => commands::up::run(config, listen, demo).await,
        Command::Serve { service, listen } => commands::serve::run(config, service, listen).await,
        Command::Db(command) => commands::db::run(config, command).await,
        Command::Backup(command) => Box::pin(commands::backup::run(config, command)).await,
        Command::Admin(admin) => commands::admin::run(config, admin).await,
        Command::Import(import) => commands::import::run(config, import).await,
        Command::Verify { json } => commands::verify::run(config, json).await,
        Command::Audit(command) => commands::audit::run(config, command).await,
        Command::Keys(command) => commands::keys::run(config, command).await,
        Command::Doctor { json } => commands::doctor::run(config, json).await,
    }
}
