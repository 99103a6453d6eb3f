//! The keys that wrap data keys, as this process knows them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::aead::AeadKey;
use super::source::{KeySource, RingError, Stamp, made};

/// How often it is looked whether there is a newer key to seal with.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Random characters of a key's name.
const NAME_CHARACTERS: usize = 8;
/// The word behind a key that seals nothing any more.
pub(super) const RETIRED: &str = "retired";

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It seals what is new, and opens.
    Seals,
    /// It opens what it sealed until that is rewrapped.
    Opens,
    /// Nothing in the databases needs it; old backups may.
    Retired,
}

impl KeyState {
    /// The word for people and programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Seals => "seals",
            Self::Opens => "opens",
            Self::Retired => RETIRED,
        }
    }
}

/// One key.
#[derive(Debug)]
pub struct RingKey {
    /// Its name, as sealed fields give it.
    pub id: String,
    /// When it was made.
    pub made: Timestamp,
    is_retired: bool,
    pub(super) key: AeadKey,
}

struct Held {
    keys: Vec<Arc<RingKey>>,
    stamp: Option<Stamp>,
    looked: Instant,
}

/// The keys. Changes of their source are seen within a second, and at once when a key is not known.
pub struct Ring {
    source: Box<dyn KeySource>,
    held: RwLock<Held>,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ring").field(&self.source.name()).finish()
    }
}

impl Ring {
    /// Reads the keys.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn open(source: Box<dyn KeySource>) -> Result<Self, RingError> {
        let held = RwLock::new(read(&*source)?);
        Ok(Self { source, held })
    }

    /// What its source is called.
    #[must_use]
    pub fn source_name(&self) -> String {
        self.source.name()
    }

    /// How long after a change of the source the last process knows of it.
    #[must_use]
    pub fn known_everywhere_after() -> Duration {
        LOOK_EVERY * 2
    }

    /// The key that seals.
    pub(super) fn newest(&self) -> Result<Arc<RingKey>, RingError> {
        let looked = self.held.read().unwrap_or_else(PoisonError::into_inner).looked;
        if looked.elapsed() >= LOOK_EVERY {
            self.look();
        }
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        sealing(&held.keys).cloned().ok_or_else(|| RingError::Empty(self.source.name()))
    }

    /// The key of this name, if there is one.
    pub(super) fn named(&self, id: &str) -> Option<Arc<RingKey>> {
        if let Some(key) = self.held_as(id) {
            return Some(key);
        }
        self.look();
        self.held_as(id)
    }

    /// Whether a key of this name is there.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.named(id).is_some()
    }

    fn held_as(&self, id: &str) -> Option<Arc<RingKey>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.keys.iter().find(|key| key.id == id).cloned()
    }

    /// Reads the source anew where it has changed; others go on with what is known meanwhile. Where it cannot be read, what
    /// is known goes on.
    fn look(&self) {
        let stamp = self.source.stamp();
        {
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            held.looked = Instant::now();
            if stamp.is_some() && stamp == held.stamp {
                return;
            }
        }
        // Without the lock: a source may be far away.
        match read(&*self.source) {
            Ok(new) => *self.held.write().unwrap_or_else(PoisonError::into_inner) = new,
            Err(error) => tracing::warn!(%error, "the keys of sealed fields stay as they were"),
        }
    }

    /// The keys as they are now, oldest first, and what each does.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn all(&self) -> Result<Vec<(Arc<RingKey>, KeyState)>, RingError> {
        let held = read(&*self.source)?;
        let newest = sealing(&held.keys).map(|key| key.id.clone());
        let state = |key: &RingKey| match &newest {
            Some(newest) if *newest == key.id => KeyState::Seals,
            _ if key.is_retired => KeyState::Retired,
            _ => KeyState::Opens,
        };
        Ok(held.keys.iter().map(|key| (Arc::clone(key), state(key))).collect())
    }
}

fn sealing(keys: &[Arc<RingKey>]) -> Option<&Arc<RingKey>> {
    keys.iter().rev().find(|key| !key.is_retired)
}

fn read(source: &dyn KeySource) -> Result<Held, RingError> {
    // The stamp first: what changes in between is read again.
    let stamp = source.stamp();
    let keys: Vec<Arc<RingKey>> = source.read()?.into_iter().map(Arc::new).collect();
    if sealing(&keys).is_none() {
        return Err(RingError::Empty(source.name()));
    }
    Ok(Held { keys, stamp, looked: Instant::now() })
}

/// The keys of some lines; empty ones and those that begin with `#` say nothing.
pub(super) fn keys_of(text: &str, from: &str) -> Result<Vec<RingKey>, RingError> {
    let mut keys: Vec<RingKey> = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let broken = |rule: &str| RingError::Line { from: from.to_owned(), line: n + 1, rule: rule.to_owned() };
        let key = key_of(line).map_err(broken)?;
        if keys.iter().any(|known| known.id == key.id) {
            return Err(broken("its name stands there twice"));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn key_of(line: &str) -> Result<RingKey, &'static str> {
    let mut words = line.split_whitespace();
    let (Some(id), Some(made), Some(key)) = (words.next(), words.next(), words.next()) else {
        return Err("it has fewer than three words");
    };
    let is_retired = match (words.next(), words.next()) {
        (None, None) => false,
        (Some(RETIRED), None) => true,
        _ => return Err("behind the key only `retired` may stand"),
    };
    if id.len() != NAME_CHARACTERS || !id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err("its name is not 8 of 0 to 9 and a to f");
    }
    let made = made.parse().map_err(|_malformed| "its second word is no moment such as 2026-11-26T10:00:00Z")?;
    let bytes = Zeroizing::new(STANDARD.decode(key).unwrap_or_default());
    let key = AeadKey::of(&bytes).ok_or("the key is not 32 bytes in base64")?;
    Ok(RingKey { id: id.to_owned(), made, is_retired, key })
}

/// A new key's line.
pub(super) fn new_line() -> Result<Zeroizing<String>, RingError> {
    let ((key, made), name) = (made()?, made()?);
    let name = hex::encode(name.0.get(..NAME_CHARACTERS / 2).unwrap_or_default());
    let made = Timestamp::from_second(made.as_second()).unwrap_or(made);
    let key = Zeroizing::new(STANDARD.encode(*key));
    Ok(Zeroizing::new(format!("{name} {made} {}\n", *key)))
}
