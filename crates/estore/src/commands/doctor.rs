//! `estore doctor`: what is wrong, and the mend.

use std::time::Duration;

use estore_kit::db::{self, Logins};
use estore_ops::connection::Connection;
use estore_ops::monitor::condition;
use estore_ops::pitr;
use estore_ops::postgres::discover;
use estore_ops::roles::Service;
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::Outcome;
use crate::config::Config;
use crate::databases::Databases;
use crate::findings::{self, Finding, Level};
use crate::metrics::backups;
use crate::schedule::bases::fault;
use crate::watched::{self, Watched};

/// Partitions made ahead for so many days are enough: PaymentService makes more each hour.
const PARTITION_DAYS_MIN: i64 = 31;
const PARTITIONS: &str = include_str!("../../queries/doctor_partitions.sql");
/// How long the target of backups may take to be listed.
const LIST_TIME_MAX: Duration = Duration::from_secs(30);

/// Looks at everything; fails when anything is wrong. What should only be looked at is named and fails nothing.
pub async fn run(config: Config, json: bool) -> Outcome {
    let databases = Databases::of(&config);
    let mut found = vec![Finding::ok("configuration", "every key is known"), findings::disk(&config.data_dir)];
    found.extend(findings::certificates::of(&config, Timestamp::now()));
    let mut newest_server = 0;
    for service in Service::ALL {
        found.extend(database(&databases, service, &mut newest_server).await);
    }
    found.push(programs(&databases, newest_server));
    found.push(backups(&config).await);
    found.extend(archive(&config, &databases).await);
    let well = found.iter().all(|finding| finding.ok);
    if json {
        println!("{}", serde_json::json!({ "ok": well, "findings": found }));
    } else {
        print(&found);
    }
    Ok(well)
}

fn print(found: &[Finding]) {
    let width = found.iter().map(|finding| finding.what.chars().count()).max().unwrap_or_default();
    for finding in found {
        let mark = match finding.level {
            Level::Ok => "ok   ",
            Level::Warning => "look ",
            Level::Wrong => "WRONG",
        };
        println!("{mark}  {:<width$}  {}", finding.what, finding.told);
        if let Some(mend) = finding.mend {
            println!("{:space$}mend: {mend}", "", space = width + 9);
        }
    }
}

/// The programs that run the private PostgreSQL, and dump any: they must not be older than the server.
fn programs(databases: &Databases, newest_server: i32) -> Finding {
    const WHAT: &str = "PostgreSQL programs";
    const MEND: &str = "install the server's own version: apt-get install postgresql";
    let needed = databases.needs_private(&Service::ALL);
    match discover(None) {
        Ok(found) => {
            let told = format!("PostgreSQL {} at {}", found.major, found.folder.display());
            if i32::try_from(found.major).is_ok_and(|major| major < newest_server / 10_000) {
                let told = format!("{told}: older than the server, which they cannot back up");
                return Finding::warning(WHAT, told, MEND);
            }
            Finding::ok(WHAT, told)
        }
        Err(error) if needed => Finding::wrong(WHAT, error.to_string(), "apt-get install postgresql"),
        Err(error) => Finding::warning(WHAT, format!("{error}; backups need them"), "apt-get install postgresql"),
    }
}

/// Nothing where the private PostgreSQL is not set up to archive.
async fn archive(config: &Config, databases: &Databases) -> Option<Finding> {
    let private = Service::ALL.into_iter().find(|service| databases.is_private(*service))?;
    if !pitr::is_set_up(&config.data_dir) {
        return None;
    }
    let looked = async {
        let administrator = databases.administrator(private).map_err(|error| error.to_string())?;
        let server = Connection::open(&administrator).await.map_err(|error| error.to_string())?;
        let status = pitr::archive_status(&server).await.map_err(|error| error.to_string())?;
        match fault(&status) {
            Some(fault) => Err(fault),
            None => Ok(format!("{} segments were sent, {} wait", status.archived_count, status.waiting)),
        }
    };
    let mend = "estore backup pitr check says why (room in the archive? its disk mounted? estore restarted since setup?); \
                the shop sells on until the log fills the disk";
    Some(match looked.await {
        Ok(told) => Finding::ok("archive of the log", told),
        Err(told) => Finding::wrong("archive of the log", told, mend),
    })
}

async fn database(databases: &Databases, service: Service, newest_server: &mut i32) -> Vec<Finding> {
    let mend = if databases.is_private(service) {
        "start it: `estore up` or `estore db run`"
    } else {
        "check databases.*.url, the server and its pg_hba.conf"
    };
    let wrong = |what: &str, told: String| vec![Finding::wrong(what, told, mend).of(service)];
    let watched = databases.logins(service).and_then(|logins| Ok((logins, watched::of(&[service], databases)?)));
    let (Logins { writer, app }, watched) = match watched {
        Ok(watched) => watched,
        Err(error) => return wrong("address", error.to_string()),
    };
    let opened = async { Connection::open(&app).await.map(drop).and(Connection::open(&writer).await) };
    let connection = match opened.await {
        Ok(connection) => connection,
        Err(error) => {
            let mend = db::mend(&error).unwrap_or(mend);
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            return vec![Finding::wrong("connection", format!("{error}{cause}"), mend).of(service)];
        }
    };
    let mut found = vec![Finding::ok("connection", "it answers")];
    if let Ok(tables) = connection.query(PARTITIONS, &[]).await {
        found.extend(tables.iter().map(partitions));
    }
    for Watched { lookout, .. } in watched.iter() {
        match condition::read(lookout).await {
            Err(error) => {
                let mend = "check databases.*.monitor_url and that role's rights";
                found.push(Finding::wrong("condition", error.to_string(), mend));
            }
            Ok(condition) => {
                *newest_server = (*newest_server).max(condition.version_number);
                found.extend(findings::server(&condition));
            }
        }
    }
    found.push(findings::migrations::of(databases, service).await);
    found.into_iter().map(|finding| finding.of(service)).collect()
}

/// A table that is partitioned by time.
fn partitions(table: &Row) -> Finding {
    const MEND: &str = "estore db maintain --now --only partitions";
    let (name, strays, until): (String, i64, Timestamp) = (table.get(0), table.get(1), table.get(2));
    let days = (until.as_second() - Timestamp::now().as_second()) / 86_400;
    if strays > 0 {
        return Finding::warning(name, format!("{strays} rows found no partition of their month"), MEND);
    }
    let told = format!("there are partitions for the next {days} days");
    if days < PARTITION_DAYS_MIN { Finding::warning(name, told, MEND) } else { Finding::ok(name, told) }
}

async fn backups(config: &Config) -> Finding {
    let Some(url) = &config.backup.target else {
        let mend = "set backup.target and backup.recipients; see docs/operations.md, Backups";
        return Finding::warning("backups", "no target is configured: nothing is backed up", mend);
    };
    match tokio::time::timeout(LIST_TIME_MAX, backups::list(url)).await {
        Ok(Ok(known)) => findings::backups(&known, Timestamp::now()),
        Ok(Err(error)) => Finding::wrong("backups", error.to_string(), "check backup.target and its credentials"),
        Err(_late) => Finding::wrong("backups", "the target does not answer", "check backup.target and the network"),
    }
}
