//! `estore backup restore`.

use estore_ops::backup::{self as ops, Live, RestoreOptions};
use estore_ops::roles::Service;
use serde_json::json;

use super::progress::Bars;
use super::{BackupResult, identity, open, shown, signer};
use crate::Outcome;
use crate::cli::Backup;
use crate::commands::{db, migrate};
use crate::config::Config;
use crate::databases::Databases;

/// Into the data directory, beside the live databases, or from there into their place.
pub(super) async fn run(config: &Config, command: Backup) -> Outcome {
    let Backup::Restore { id, target, keys, database, beside, switch, destructive, json, .. } = command else {
        return Ok(true);
    };
    let services = database.map_or(Service::ALL.to_vec(), |name| vec![db::service(name)]);
    if switch {
        return put_in_place(config, &services, json).await;
    }
    let target = open(config, &target)?;
    let inside = config.data_dir.join("scratch");
    let parent = config.data_dir.parent().map_or(inside.clone(), std::path::Path::to_owned);
    let options = RestoreOptions {
        identity: identity(&keys)?,
        signer: signer(config, &keys)?,
        services: services.clone(),
        destructive,
        staging_parent: if beside { inside } else { parent },
    };
    let bars = Bars::new();
    let show = |event: ops::BackupEvent<'_>| bars.show(event);
    if !beside {
        let restored = ops::restore_into(&target, &id, &config.data_dir, &options, &show).await;
        bars.clear();
        let next = format!("estore verify --data-dir {0} && estore up --data-dir {0}", config.data_dir.display());
        shown::restored(&restored?, &next, json);
        return Ok(true);
    }
    let (databases, cluster) = migrate::open(config, &services).await?;
    let restored = match live(&databases, &services) {
        Ok(live) => ops::restore_beside(&target, &id, &live, &options, &show).await.map_err(Into::into),
        Err(error) => Err(error),
    };
    bars.clear();
    migrate::close(cluster).await?;
    shown::restored(&restored?, "look at it, then put it in place: estore backup restore --switch", json);
    Ok(true)
}

fn live(databases: &Databases, services: &[Service]) -> BackupResult<Vec<Live>> {
    let of = |&service: &Service| {
        let database = databases.logins(service)?.writer.get_dbname().unwrap_or(service.database()).to_owned();
        Ok(Live { service, database, administrator: databases.administrator(service)? })
    };
    services.iter().map(of).collect()
}

async fn put_in_place(config: &Config, services: &[Service], as_json: bool) -> Outcome {
    let (databases, cluster) = migrate::open(config, services).await?;
    let kept = match live(&databases, services) {
        Ok(live) => ops::switch(&live).await.map_err(Into::into),
        Err(error) => Err(error),
    };
    migrate::close(cluster).await?;
    let kept = kept?;
    if as_json {
        println!("{}", json!({ "replaced": kept }));
    } else {
        println!("The restored databases are in place. What they replaced is kept as {}.", kept.join(", "));
        println!("Next      estore verify: it lists what differs between the databases");
    }
    Ok(true)
}
