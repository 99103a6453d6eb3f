//! What `pgbackrest info` answers.

use jiff::Timestamp;
use serde::Deserialize;

use super::super::archiver::{Base, Kind};
use super::super::error::PitrError;
use super::super::moment::Lsn;

/// What is kept of one server.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    archive: Vec<Archived>,
    #[serde(default)]
    backup: Vec<Backup>,
    #[serde(default)]
    db: Vec<Server>,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    code: u32,
    #[serde(default)]
    message: String,
}

/// Up to this code the repository can be read: it may have nothing in it yet.
const READABLE_CODE_MAX: u32 = 3;

/// The log of one major version.
#[derive(Debug, Deserialize)]
pub(super) struct Archived {
    /// Its folder, such as `15-1`.
    pub(super) id: String,
    /// The newest segment.
    pub(super) max: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Server {
    version: String,
}

#[derive(Debug, Deserialize)]
struct Backup {
    label: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    error: bool,
    info: Sizes,
    lsn: Span<Lsn>,
    timestamp: Span<i64>,
}

#[derive(Debug, Deserialize)]
struct Span<T> {
    stop: T,
}

#[derive(Debug, Deserialize)]
struct Sizes {
    size: u64,
    repository: Stored,
}

#[derive(Debug, Deserialize)]
struct Stored {
    delta: u64,
}

impl Info {
    pub(super) fn read(answer: &[u8]) -> Result<Self, PitrError> {
        // Its messages have line breaks, which it does not escape.
        let plain: Vec<u8> = answer.iter().map(|byte| if byte.is_ascii_control() { b' ' } else { *byte }).collect();
        let servers: Vec<Self> =
            serde_json::from_slice(&plain).map_err(|error| PitrError::Answer(error.to_string()))?;
        let info = servers.into_iter().next().unwrap_or_default();
        if info.status.code > READABLE_CODE_MAX {
            return Err(PitrError::Archiver { action: "tell what it keeps", said: info.status.message });
        }
        Ok(info)
    }

    /// The base backups, oldest first.
    pub(super) fn bases(&self) -> Result<Vec<Base>, PitrError> {
        self.backup.iter().map(Backup::base).collect()
    }

    /// The newest log, and the major version of the server that wrote it.
    pub(super) fn newest_log(&self) -> Option<(&Archived, u32)> {
        let version = self.db.last()?.version.split('.').next()?.parse().ok()?;
        Some((self.archive.last()?, version))
    }
}

impl Backup {
    fn base(&self) -> Result<Base, PitrError> {
        let whole_at = Timestamp::from_second(self.timestamp.stop);
        Ok(Base {
            label: self.label.clone(),
            kind: if self.kind == "full" { Kind::Full } else { Kind::Differential },
            whole_at: whole_at.map_err(|error| PitrError::Answer(error.to_string()))?,
            whole_at_lsn: self.lsn.stop,
            bytes: self.info.size,
            stored_bytes: self.info.repository.delta,
            damaged: self.error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"[{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"000000010000000000000004",
        "min":"000000010000000000000001"}],"backup":[{"archive":{"start":"000000010000000000000002",
        "stop":"000000010000000000000003"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},
        "error":false,"info":{"delta":22992568,"repository":{"delta":2845792,"size":2845792},"size":22992568},
        "label":"20261125-224550F","lsn":{"start":"0/2000028","stop":"0/3000050"},"prior":null,"reference":null,
        "timestamp":{"start":1795646750,"stop":1795646755},"type":"full"}],"cipher":"aes-256-cbc","db":[{"id":1,
        "repo-key":1,"system-id":7712244041895661530,"version":"15"}],"name":"estore","status":{"code":0}}]"#;

    #[test]
    fn what_version_2_45_answers_is_read() {
        let info = Info::read(ANSWER.as_bytes()).unwrap();
        let (log, version) = info.newest_log().unwrap();
        assert_eq!((log.id.as_str(), log.max.as_deref(), version), ("15-1", Some("000000010000000000000004"), 15));
        let bases = info.bases().unwrap();
        assert_eq!(bases[0].label, "20261125-224550F");
        assert_eq!(bases[0].kind, Kind::Full);
        assert_eq!(bases[0].whole_at.to_string(), "2026-11-25T22:45:55Z");
        assert_eq!(bases[0].whole_at_lsn.to_string(), "0/3000050");
        assert_eq!((bases[0].bytes, bases[0].stored_bytes, bases[0].damaged), (22_992_568, 2_845_792, false));
    }

    #[test]
    fn a_repository_that_cannot_be_read_is_told() {
        let answer = "[{\"backup\":[],\"db\":[],\"status\":{\"code\":99,\"message\":\"[CryptoError]\nis the passphrase right?\"}}]";
        let error = Info::read(answer.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("[CryptoError] is the passphrase right?"), "{error}");
    }

    #[test]
    fn an_empty_repository_keeps_nothing() {
        let missing = r#"[{"backup":[],"db":[],"name":"estore","status":{"code":1}}]"#;
        for answer in ["[]", missing] {
            let info = Info::read(answer.as_bytes()).unwrap();
            assert!(info.bases().unwrap().is_empty() && info.newest_log().is_none(), "{answer}");
        }
    }
}
