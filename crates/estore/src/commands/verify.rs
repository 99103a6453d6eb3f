//! `estore verify`: every promise, on the data as it is.

use std::time::Instant;

use estore_ops::roles::Service;

use super::migrate;
use crate::config::Config;
use crate::verify::{Finding, verify};
use crate::{Outcome, fields, sealing};

/// Fails when any promise is broken.
pub async fn run(config: Config, json: bool) -> Outcome {
    let begun = Instant::now();
    let signer = sealing::signer(&config)?;
    let keys = fields::look(&config)?;
    let (databases, cluster) = migrate::open(&config, &Service::ALL).await?;
    let result = verify(&databases, signer.as_ref(), &keys).await;
    migrate::close(cluster).await?;
    let findings = result?;
    let broken: u64 = findings.iter().map(|finding| finding.broken).sum();
    if json {
        let seconds = begun.elapsed().as_millis() / 1000;
        println!(
            "{}",
            serde_json::json!({ "ok": broken == 0, "broken": broken, "seconds": seconds, "checks": findings })
        );
    } else {
        print(&findings, broken, begun);
    }
    Ok(broken == 0)
}

fn print(findings: &[Finding], broken: u64, begun: Instant) {
    for finding in findings {
        let mark = if finding.broken == 0 { "kept  " } else { "BROKEN" };
        let flight = if finding.in_flight > 0 { format!("  ({} in flight)", finding.in_flight) } else { String::new() };
        println!("{mark}  promise {:>2}  {}: {}{flight}", finding.promise, finding.database, finding.name);
        for row in &finding.rows {
            println!("                      {row}");
        }
        if finding.broken > finding.rows.len() as u64 {
            println!("                      … {} in all", finding.broken);
        }
    }
    let checks = findings.len();
    let elapsed = begun.elapsed().as_millis();
    if broken == 0 {
        println!("{checks} checks in {elapsed} ms: every promise is kept.");
    } else {
        println!("{checks} checks in {elapsed} ms: {broken} rows break a promise.");
    }
}
