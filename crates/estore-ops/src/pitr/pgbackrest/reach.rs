//! How far the archive reaches: read from the newest segments themselves.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use jiff::Timestamp;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::super::archiver::Reach;
use super::super::error::PitrError;
use super::super::moment::Lsn;
use super::PgBackRest;
use super::configuration::STANZA;
use crate::postgres::discover;

/// Segments that are looked into for the last transaction: idle servers write some without one.
const SEGMENTS_MAX: usize = 64;
/// Characters of a segment's name; the first sixteen are its folder.
const NAME_LENGTH: usize = 24;
const FOLDER_LENGTH: usize = 16;

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
}

/// The last transaction that is archived, and the last place in the log.
pub(super) async fn of(archive: &PgBackRest) -> Result<Option<Reach>, PitrError> {
    let info = archive.info().await?;
    let Some((log, version)) = info.newest_log() else { return Ok(None) };
    let Some(newest) = log.max.as_deref().filter(|name| name.len() == NAME_LENGTH) else { return Ok(None) };
    let waldump = discover(Some(version))?.program("pg_waldump");
    let folder = tempfile::tempdir().map_err(PitrError::file("make a folder in", &std::env::temp_dir()))?;
    let under = format!("archive/{STANZA}/{}/{}", log.id, &newest[..FOLDER_LENGTH]);
    let mut reach: Option<Reach> = None;
    for (name, stored) in segments(archive, &under, newest).await?.into_iter().rev().take(SEGMENTS_MAX) {
        fetch(archive, &format!("{under}/{stored}"), &folder, &name).await?;
        let (committed_at, lsn) = last_of(&waldump, &folder.path().join(&name)).await?;
        // One large transaction may fill segments in which nothing begins or ends; then it is the place before them.
        if let Some(lsn) = lsn {
            reach.get_or_insert(Reach { committed_at, lsn }).committed_at = committed_at;
        }
        if committed_at.is_some() {
            break;
        }
    }
    Ok(reach)
}

/// The segments of a folder up to the newest, by name, with the names they are stored under.
async fn segments(archive: &PgBackRest, under: &str, newest: &str) -> Result<BTreeMap<String, String>, PitrError> {
    let mut command = archive.command("repo-ls");
    command.args(["--output=json", under]);
    let answer = archive.run(command, "list its archive").await?;
    let entries: BTreeMap<String, Entry> =
        serde_json::from_slice(&answer).map_err(|error| PitrError::Answer(error.to_string()))?;
    let named = entries.into_iter().filter_map(|(stored, entry)| {
        // `<name>-<hash of the contents>.zst`; others are histories and partial ones.
        let (name, _) = stored.split_once('-').filter(|(name, _)| name.len() == NAME_LENGTH)?;
        (entry.kind == "file" && name <= newest).then(|| (name.to_owned(), stored.clone()))
    });
    Ok(named.collect())
}

async fn fetch(archive: &PgBackRest, stored: &str, folder: &TempDir, name: &str) -> Result<(), PitrError> {
    let mut command = archive.command("repo-get");
    command.arg(stored);
    let packed = archive.run(command, "fetch a segment").await?;
    let path = folder.path().join(name);
    let unpacked = match Path::new(stored).extension().and_then(|extension| extension.to_str()) {
        Some("zst") => zstd::decode_all(&packed[..]).map_err(PitrError::file("unpack", &path))?,
        None => packed,
        Some(other) => return Err(PitrError::Answer(format!("a segment is compressed as {other}, not as zst"))),
    };
    std::fs::write(&path, unpacked).map_err(PitrError::file("write", &path))
}

/// The last transaction of a segment and its last record.
async fn last_of(waldump: &Path, segment: &Path) -> Result<(Option<Timestamp>, Option<Lsn>), PitrError> {
    let mut command = Command::new(waldump);
    command.args(["--rmgr=Transaction", "--rmgr=XLOG"]).arg(segment).env("LC_ALL", "C").env("TZ", "UTC");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(PitrError::file("run", waldump))?;
    let (mut committed, mut lsn) = (None, None);
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.map_err(PitrError::file("read", segment))? {
            committed = committed_at(&line).or(committed);
            lsn = lsn_of(&line).or(lsn);
        }
    }
    // It ends badly where the last record goes on in the next segment, which is as it should be.
    child.wait().await.map_err(PitrError::file("run", waldump))?;
    Ok((committed, lsn))
}

fn committed_at(line: &str) -> Option<Timestamp> {
    let (_, rest) = line.split_once("desc: COMMIT ")?;
    let (moment, _) = rest.split_once(" UTC")?;
    format!("{moment}Z").parse().ok()
}

fn lsn_of(line: &str) -> Option<Lsn> {
    let (_, rest) = line.split_once("lsn: ")?;
    rest.split_once(',')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let line = "rmgr: Transaction len (rec/tot):    469/   469, tx:        726, lsn: 0/04018F18, prev 0/04018EE0, \
                    desc: COMMIT 2026-11-25 22:46:05.766287 UTC; rels: base/5/16384";
        assert_eq!(committed_at(line).unwrap().to_string(), "2026-11-25T22:46:05.766287Z");
        assert_eq!(lsn_of(line).unwrap().to_string(), "0/4018F18");
        let switch = "rmgr: XLOG len (rec/tot): 24/ 24, tx: 0, lsn: 0/04019158, prev 0/040190F0, desc: SWITCH ";
        assert_eq!(committed_at(switch), None);
        assert_eq!(lsn_of(switch).unwrap().to_string(), "0/4019158");
    }
}
