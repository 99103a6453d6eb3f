//! The levels of a proof, and what came of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One level of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// Whether it was passed; none when an earlier one failed and it was not come to.
    pub passed: Option<bool>,
    /// What was seen, or why it failed.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// What is recorded beside a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// SHA-256 of the manifest it is about, in hex.
    pub manifest_sha256: String,
    /// When, by this machine's clock.
    pub verified_at: Timestamp,
    /// Whether every level was passed.
    pub passed: bool,
    /// From nothing to databases that answer, in milliseconds.
    pub restore_millis: u64,
    /// The recovery point: how old the set was when it was proven, in seconds.
    #[serde(default)]
    pub age_seconds: i64,
    /// The levels.
    pub levels: Vec<Level>,
}

impl Verdict {
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    pub(crate) fn is_of(&self, manifest: &[u8]) -> bool {
        self.manifest_sha256 == digest(manifest)
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A proof.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The set.
    pub id: String,
    /// Whether every level was passed.
    pub passed: bool,
    /// The levels in their order.
    pub levels: Vec<Level>,
    /// The recovery time: from nothing to databases that answer, in milliseconds.
    pub restore_millis: u64,
    /// The recovery point: how much would be lost by falling back on this set now, in seconds.
    pub age_seconds: i64,
    /// The whole proof, in milliseconds.
    pub total_millis: u64,
    /// Whether the verdict was recorded beside the set. It is not when the key at hand was the wrong one.
    pub recorded: bool,
}

impl Report {
    /// The level that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Level> {
        self.levels.iter().find(|level| level.passed == Some(false))
    }
}
