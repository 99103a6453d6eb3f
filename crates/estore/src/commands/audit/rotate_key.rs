//! `estore audit rotate-key`.

use std::error::Error;
use std::fs;

use estore_ops::audit::Rotation;
use estore_ops::backup::{SignerKey, SigningKey};
use estore_ops::connection::Connection;
use estore_ops::roles::Service;

use super::super::migrate;
use crate::cli::AuditRotateKey;
use crate::config::Config;
use crate::databases::Databases;
use crate::{Outcome, sealing};

/// The key that follows, until all databases know of it.
const NEXT: &str = "next";

/// What changed hands.
struct Rotated {
    from: SignerKey,
    to: SignerKey,
    databases: Vec<&'static str>,
}

/// Lets another key sign from now on.
pub(super) async fn run(config: Config, asked: AuditRotateKey) -> Outcome {
    let lost: Option<SignerKey> = asked.lost_key.as_deref().map(str::parse).transpose()?;
    let (databases, cluster) = migrate::open(&config, &Service::ALL).await?;
    let rotated = rotate(&config, &databases, lost.as_ref()).await;
    migrate::close(cluster).await?;
    let Rotated { from, to, databases } = rotated?;
    if asked.json {
        println!("{}", serde_json::json!({ "from": from.to_string(), "to": to.to_string(), "databases": databases }));
        return Ok(true);
    }
    println!("Until now  {from}");
    println!("From now   {to}, in {}", sealing::key_file(&config)?.display());
    match databases.as_slice() {
        [] => println!("           no database had seals of the key before"),
        some => println!("           handed over in {}", some.join(", ")),
    }
    println!("Keep a copy of the new key elsewhere, and bring one to every machine that runs services of this shop.");
    Ok(true)
}

/// Each database by itself: what an error left half done is finished by the next call.
async fn rotate(config: &Config, databases: &Databases, lost: Option<&SignerKey>) -> Result<Rotated, Box<dyn Error>> {
    let file = sealing::key_file(config)?;
    let next_file = file.with_extension(NEXT);
    let last = match lost {
        Some(_) => None,
        None if file.exists() => Some(SigningKey::read_or_make(&file)?),
        None => {
            return Err(format!("{} is not there: bring it back, or name it with --lost-key", file.display()).into());
        }
    };
    let next = SigningKey::read_or_make(if last.is_some() { &next_file } else { &file })?;
    let mut done = Vec::new();
    for service in Service::ALL {
        let mut connection = Connection::open(&databases.logins(service)?.writer).await?;
        let rotation = match (&last, lost) {
            (Some(key), _) => Rotation::HandedOver(key),
            (None, Some(signer)) => Rotation::Lost(signer),
            (None, None) => return Err("there is no key to hand over from".into()),
        };
        if rotation.apply(&mut connection, service, &next).await? {
            done.push(service.name());
        }
    }
    let from = last.as_ref().map(SigningKey::public).or(lost.cloned()).unwrap_or_else(|| next.public());
    if last.is_some() {
        fs::rename(&next_file, &file)?;
    }
    Ok(Rotated { from, to: next.public(), databases: done })
}
