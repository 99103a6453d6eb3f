//! `estore audit …`.

mod rotate_key;
mod shown;
mod verify;

use estore_ops::audit::{Change, Wanted, show};
use estore_ops::connection::Connection;
use estore_ops::roles::Service;
use futures_util::future::try_join_all;

use super::{db, migrate};
use crate::Outcome;
use crate::cli::{Audit, AuditShow};
use crate::config::Config;
use crate::databases::Databases;

/// Runs an `audit` command.
pub async fn run(config: Config, command: Audit) -> Outcome {
    match command {
        Audit::Show(asked) => show_changes(config, asked).await,
        Audit::Verify(asked) => Box::pin(verify::run(config, asked)).await,
        Audit::RotateKey(asked) => Box::pin(rotate_key::run(config, asked)).await,
    }
}

async fn show_changes(config: Config, asked: AuditShow) -> Outcome {
    let services = asked.database.map_or(Service::ALL.to_vec(), |name| vec![db::service(name)]);
    let wanted = Wanted {
        user_id: asked.user,
        table: asked.table,
        key: asked.key,
        request_id: asked.request,
        operation: asked.operation,
        since: asked.since,
        until: asked.until,
        limit: asked.limit,
    };
    let (databases, cluster) = migrate::open(&config, &services).await?;
    let read = try_join_all(services.iter().map(|&service| changes_of(&databases, service, &wanted))).await;
    migrate::close(cluster).await?;
    let mut changes: Vec<Change> = read?.into_iter().flatten().collect();
    changes.sort_by_key(|change| std::cmp::Reverse((change.at, change.id)));
    changes.truncate(usize::try_from(asked.limit)?);
    if asked.json {
        println!("{}", serde_json::json!({ "changes": changes }));
    } else {
        shown::print(&changes);
    }
    Ok(true)
}

async fn changes_of(
    databases: &Databases,
    service: Service,
    wanted: &Wanted,
) -> Result<Vec<Change>, Box<dyn std::error::Error>> {
    let connection = Connection::open(&databases.logins(service)?.writer).await?;
    Ok(show(&connection, service, wanted).await?)
}
