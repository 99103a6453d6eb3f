//! `estore audit verify`.

use std::path::Path;

use estore_ops::audit::{Anchor, Audited, Extent, Head, verify};
use estore_ops::backup::{SignerKey, Target, anchors};
use estore_ops::connection::Connection;
use estore_ops::roles::Service;
use indicatif::{ProgressBar, ProgressStyle};

use super::super::{backup, db, migrate};
use crate::cli::{AuditVerify, NotedSeal};
use crate::config::Config;
use crate::databases::Databases;
use crate::verify::snapshot;
use crate::{Outcome, sealing};

/// Fails when anything does not fit.
pub(super) async fn run(config: Config, asked: AuditVerify) -> Outcome {
    let services = asked.database.map_or(Service::ALL.to_vec(), |name| vec![db::service(name)]);
    let (databases, cluster) = migrate::open(&config, &services).await?;
    let looked = look(&config, &databases, &services, &asked).await;
    migrate::close(cluster).await?;
    let (audited, noted) = looked?;
    let broken: u64 = audited.iter().map(|audited| audited.broken).sum();
    if asked.json {
        println!(
            "{}",
            serde_json::json!({ "ok": broken == 0, "broken": broken, "noted_seals": noted, "databases": audited })
        );
    } else {
        audited.iter().for_each(print);
        println!("compared with {noted} seals that backups or --head noted");
    }
    Ok(broken == 0)
}

/// What was found, and how many noted seals were looked for.
async fn look(
    config: &Config,
    databases: &Databases,
    services: &[Service],
    asked: &AuditVerify,
) -> Result<(Vec<Audited>, usize), Box<dyn std::error::Error>> {
    let signer = signer(config, asked.signer.as_deref())?;
    let extent = asked.newest.map_or(Extent::Whole, |count| Extent::Newest(i64::from(count)));
    let mut anchors: Vec<Anchor> = asked.head.iter().filter_map(noted).collect();
    if !asked.without_backups {
        anchors.extend(of_backups(config).await?);
    }
    anchors.retain(|anchor| services.contains(&anchor.service));
    let mut all = Vec::new();
    for &service in services {
        let mut connection = Connection::open(&databases.logins(service)?.writer).await?;
        let moment = snapshot(&mut connection).await?;
        let bar = seals_bar(service);
        let progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        let audited = verify(&moment, service, (&signer, &anchors), extent, &progress).await;
        bar.finish_and_clear();
        all.push(audited?);
    }
    Ok((all, anchors.len()))
}

fn signer(config: &Config, named: Option<&str>) -> Result<SignerKey, Box<dyn std::error::Error>> {
    let signer = match named {
        Some(named) if Path::new(named).is_file() => SignerKey::of(Path::new(named))?,
        Some(named) => Some(named.parse()?),
        None => sealing::signer(config)?,
    };
    signer.ok_or_else(|| "nothing was sealed from this data directory; name the key that seals with --signer".into())
}

/// A seal that was noted by hand.
fn noted(noted: &NotedSeal) -> Option<Anchor> {
    let head = Head { number: noted.number, head: noted.head.clone() };
    Some(Anchor { service: Service::named(&noted.database)?, noted_by: "--head".to_owned(), head })
}

/// The seals that the backups noted, where there is a target of ours.
async fn of_backups(config: &Config) -> Result<Vec<Anchor>, Box<dyn std::error::Error>> {
    let Some(url) = &config.backup.target else { return Ok(Vec::new()) };
    // Nothing was backed up from here before there is a key.
    let Some(signer) = backup::known_signer(config, None)? else { return Ok(Vec::new()) };
    Ok(anchors(&Target::open(url, std::env::vars())?, &signer).await?)
}

fn print(audited: &Audited) {
    let Audited { database, seals, rows, let_go, head, waiting, broken, faults } = audited;
    let verdict = if *broken == 0 { "whole " } else { "BROKEN" };
    let gone = if *let_go == 0 { String::new() } else { format!("; the rows of {let_go} were let go by a rule") };
    println!("{verdict}  {database}: {seals} seals over {rows} rows{gone}");
    for fault in faults {
        println!("        {}: {}", fault.kind, fault.what);
    }
    if *broken > faults.len() as u64 {
        println!("        … {broken} in all");
    }
    for table in waiting.iter().filter(|table| table.rows > 0) {
        let since = table.since.map(|since| format!(", the oldest of {since}")).unwrap_or_default();
        println!("        {} rows of {} wait for a seal{since}", table.rows, table.table);
    }
    if let Some(head) = head {
        println!("        newest seal {database}:{}:{}", head.number, head.head);
    }
}

/// A bar on standard error; nothing when it is not a terminal.
fn seals_bar(service: Service) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len} seals, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_bar()));
    bar.set_message(service.name());
    bar
}
