//! `estore doctor`: what is wrong, and the mend.

use std::path::Path;

use estore_ops::connection::Connection;
use estore_ops::postgres::discover;
use estore_ops::roles::Service;
use jiff::Timestamp;
use serde::Serialize;

use super::migrate;
use crate::Outcome;
use crate::config::Config;
use crate::databases::Databases;

/// Free space below which the disk is named as a danger, in bytes.
const DISK_FREE_BYTES_MIN: u64 = 2 * 1024 * 1024 * 1024;
/// How far the database's clock may be from ours, in seconds.
const CLOCK_SECONDS_MAX: i64 = 2;
/// The oldest PostgreSQL that is supported, as `server_version_num`.
const SERVER_VERSION_MIN: i32 = 150_000;

/// One look.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    ok: bool,
    told: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
}

impl Finding {
    fn new(what: impl Into<String>, looked: Result<String, String>, mend: &'static str) -> Self {
        match looked {
            Ok(told) => Self { what: what.into(), ok: true, told, mend: None },
            Err(told) => Self { what: what.into(), ok: false, told, mend: Some(mend) },
        }
    }
}

/// Looks at everything; fails when anything is wrong.
pub async fn run(config: Config, json: bool) -> Outcome {
    let databases = Databases::of(&config);
    let mut findings = vec![Finding::new("configuration", Ok("every key is known".to_owned()), "")];
    findings.push(disk(&config.data_dir));
    if databases.needs_private(&Service::ALL) {
        findings.push(programs());
    }
    for service in Service::ALL {
        database(&databases, service, &mut findings).await;
    }
    let well = findings.iter().all(|finding| finding.ok);
    if json {
        println!("{}", serde_json::json!({ "ok": well, "findings": findings }));
        return Ok(well);
    }
    for finding in &findings {
        let mark = if finding.ok { "ok   " } else { "WRONG" };
        println!("{mark}  {:<28}  {}", finding.what, finding.told);
        if let Some(mend) = finding.mend {
            println!("{:37}mend: {mend}", "");
        }
    }
    Ok(well)
}

fn disk(data_dir: &Path) -> Finding {
    let looked = || -> Result<String, String> {
        let existing = data_dir.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
        let space = nix::sys::statvfs::statvfs(existing).map_err(|error| error.to_string())?;
        let free = space.blocks_available() * space.fragment_size();
        let told = format!("{} MiB are free under {}", free / 1024 / 1024, existing.display());
        if free < DISK_FREE_BYTES_MIN { Err(told) } else { Ok(told) }
    };
    Finding::new("disk", looked(), "make room, or point --data-dir at a larger disk")
}

fn programs() -> Finding {
    let looked = match discover(None) {
        Ok(found) => Ok(format!("PostgreSQL {} at {}", found.major, found.folder.display())),
        Err(error) => Err(error.to_string()),
    };
    Finding::new("PostgreSQL programs", looked, "apt-get install postgresql")
}

async fn database(databases: &Databases, service: Service, findings: &mut Vec<Finding>) {
    let what = |of: &str| format!("{service}: {of}");
    let mend = if databases.is_private(service) {
        "start it: `estore up` or `estore db run`"
    } else {
        "check databases.*.url, the server and its pg_hba.conf"
    };
    let config = match databases.app(service) {
        Ok(config) => config,
        Err(error) => return findings.push(Finding::new(what("address"), Err(error.to_string()), mend)),
    };
    let connection = match Connection::open(&config).await {
        Ok(connection) => connection,
        Err(error) => return findings.push(Finding::new(what("connection"), Err(error.to_string()), mend)),
    };
    findings.push(Finding::new(what("connection"), Ok("it answers".to_owned()), mend));
    let sql = "SELECT current_setting('server_version'), current_setting('server_version_num')::int, now()";
    match connection.query_one(sql, &[]).await {
        Err(error) => findings.push(Finding::new(what("version"), Err(error.to_string()), mend)),
        Ok(row) => {
            let (shown, number, now): (String, i32, Timestamp) = (row.get(0), row.get(1), row.get(2));
            let told = format!("PostgreSQL {shown}");
            let looked = if number < SERVER_VERSION_MIN { Err(told) } else { Ok(told) };
            findings.push(Finding::new(what("version"), looked, "upgrade the server to PostgreSQL 15 or newer"));
            let apart = (Timestamp::now().as_second() - now.as_second()).abs();
            let told = format!("{apart} s apart from ours");
            let looked = if apart > CLOCK_SECONDS_MAX { Err(told) } else { Ok(told) };
            findings.push(Finding::new(
                what("clock"),
                looked,
                "synchronise both machines' clocks (chrony, systemd-timesyncd)",
            ));
        }
    }
    let looked = migrate::require_current(databases, &[service]).await;
    let looked = looked.map(|()| "all applied".to_owned()).map_err(|error| error.to_string());
    findings.push(Finding::new(what("migrations"), looked, "estore db migrate up"));
}
