//! `estore import products|customers FILE`.

use std::path::Path;

use estore_inventory::Inventory;
use estore_kit::db::Db;
use estore_ops::roles::Service;
use estore_users::Users;
use indicatif::{ProgressBar, ProgressStyle};

use super::migrate;
use crate::cli::Import;
use crate::config::Config;
use crate::{Outcome, services};

/// Brings a file in, all of it or nothing.
pub async fn run(config: Config, import: Import) -> Outcome {
    match import {
        Import::Products { file } => products(config, &file).await,
        Import::Customers { file } => customers(config, &file).await,
    }
}

async fn products(config: Config, file: &Path) -> Outcome {
    let input = open(file).await?;
    let (databases, cluster) = migrate::open(&config, &[Service::Inventory]).await?;
    let db = Db::new(databases.logins(Service::Inventory)?.named("estore-import"), 4)?;
    let inventory = Inventory::start(db, config.inventory.clone()).await?;
    let bar = rows_bar();
    let result = inventory.import_products(input, |rows| bar.set_position(rows)).await;
    bar.finish_and_clear();
    migrate::close(cluster).await?;
    match result {
        Ok(report) => {
            println!(
                "{} rows, {} products: {} made, {} changed, {} as they were; {} categories made.",
                report.rows,
                report.products,
                report.created,
                report.updated,
                report.unchanged,
                report.categories_created
            );
            Ok(true)
        }
        Err(estore_inventory::ImportError::Refused { faults, total }) => {
            for fault in &faults {
                eprintln!("{fault}");
            }
            Err(format!("nothing was imported; mend these rows ({total} in all) and try again").into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn customers(config: Config, file: &Path) -> Outcome {
    let input = std::fs::File::open(file).map_err(|error| unreadable(file, &error))?;
    let (databases, cluster) = migrate::open(&config, &[Service::Users]).await?;
    let logins = databases.logins(Service::Users)?.named("estore-import");
    let users = Users::start(Db::new(logins, 4)?, services::users_config(&config)?).await?;
    let bar = rows_bar();
    let result = users.import_customers(input, |rows| bar.set_position(rows)).await;
    bar.finish_and_clear();
    migrate::close(cluster).await?;
    match result {
        Ok(report) => {
            println!(
                "{} rows: {} accounts made, {} were there already.",
                report.rows, report.made, report.already_there
            );
            if report.unverified > 0 && !config.users.unverified_may_log_in {
                println!(
                    "{} of the new ones log in once their address is proved, by the letter of POST /v1/users/verify/resend \
                     or of POST /v1/password-resets. Where another shop has proved it, import it with is_verified.",
                    report.unverified
                );
            }
            Ok(true)
        }
        Err(estore_users::ImportError::Faults(faults)) => {
            for fault in &faults {
                eprintln!("{fault}");
            }
            Err("nothing was imported; mend these rows and try again".into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn open(file: &Path) -> Result<tokio::fs::File, String> {
    tokio::fs::File::open(file).await.map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", file.display())
}

/// A count of rows on standard error; nothing when it is not a terminal.
fn rows_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} rows, {per_sec}");
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_spinner()))
}
