//! Where the keys of a ring come from.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::aead::new_key;
use super::ring::{self, RingKey};
use crate::key_file;

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// The file cannot be read or made.
    #[error("cannot read or make the keys of sealed fields, {path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// A line is no key.
    #[error(
        "{from}, line {line}: {rule}. A line holds a key's name, when it was made and the key in base64; bring the file back"
    )]
    Line {
        /// The file or variable.
        from: String,
        /// From 1.
        line: usize,
        /// The broken rule.
        rule: String,
    },
    /// There is none.
    #[error("{0} holds no key that seals; bring it back, or move it away to have a new one made for what is new")]
    Empty(String),
    /// The system gives no random numbers.
    #[error("the system's random generator failed")]
    NoRandom,
}

/// By which a change of the source is known.
pub type Stamp = (u64, u64, i64, i64);

/// Gives out the keys that wrap data keys: a file, the environment, or a service that keeps keys (KMS) and gives them to
/// those who may have them. It is asked at the start, when it has changed and when a key is not known; never for a field.
pub trait KeySource: Send + Sync {
    /// What it is called, for messages.
    fn name(&self) -> String;

    /// By which a change is known, cheap to ask; none where there is no telling.
    fn stamp(&self) -> Option<Stamp>;

    /// All keys, the newest last.
    ///
    /// # Errors
    /// When they cannot be had or are none.
    fn read(&self) -> Result<Vec<RingKey>, RingError>;
}

/// A file of its own, made when missing: one key a line, oldest first; the last one that is not retired seals.
#[derive(Debug, Clone)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// The file, made with one key when it is missing.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn open(path: &Path) -> Result<Self, RingError> {
        let file = Self(path.to_owned());
        let made = key_file::read_or_make(path, || {
            ring::new_line().map(|line| Zeroizing::new(format!("{HEAD}{}", *line))).map_err(io::Error::other)
        });
        made.map_err(|error| file.failed(&error))?;
        Ok(file)
    }

    /// The file if it is there.
    #[must_use]
    pub fn existing(path: &Path) -> Option<Self> {
        path.exists().then(|| Self(path.to_owned()))
    }

    fn failed(&self, error: &io::Error) -> RingError {
        RingError::File { path: self.0.display().to_string(), cause: error.to_string() }
    }

    fn text(&self) -> Result<Zeroizing<String>, RingError> {
        fs::read_to_string(&self.0).map(Zeroizing::new).map_err(|error| self.failed(&error))
    }

    /// Adds a key, which seals from now on; answers its name.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn add(&self) -> Result<String, RingError> {
        let (mut text, line) = (self.text()?, ring::new_line()?);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        key_file::replace(&self.0, &Zeroizing::new(format!("{}{}", *text, *line)))
            .map_err(|error| self.failed(&error))?;
        Ok(line.split(' ').next().unwrap_or_default().to_owned())
    }

    /// Marks keys as retired: they open what they sealed, in old backups, and the file may do without them when those are gone.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn retire(&self, keys: &[String]) -> Result<(), RingError> {
        let retired = |line: &str| {
            let names = |key: &String| line.split_whitespace().next() == Some(key.as_str());
            let is_new = keys.iter().any(names) && !line.trim_end().ends_with(ring::RETIRED);
            if is_new { format!("{} {}\n", line.trim_end(), ring::RETIRED) } else { format!("{line}\n") }
        };
        let text = Zeroizing::new(self.text()?.lines().map(retired).collect::<String>());
        key_file::replace(&self.0, &text).map_err(|error| self.failed(&error))
    }
}

/// What a new file begins with.
const HEAD: &str = "# Keys of sealed fields, oldest first; the last one seals. Without them nobody can read what they sealed.\n\
                    # Keep a copy of this file apart from the backups.\n";

impl KeySource for KeyFile {
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn stamp(&self) -> Option<Stamp> {
        let file = fs::metadata(&self.0).ok()?;
        Some((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
    }

    fn read(&self) -> Result<Vec<RingKey>, RingError> {
        ring::keys_of(&self.text()?, &self.name())
    }
}

/// Keys that came with the process, in lines as a file has them.
pub struct Environment {
    name: String,
    text: Zeroizing<String>,
}

impl Environment {
    /// The lines of a variable or a setting, which is called so; `;` ends a line too.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: Zeroizing::new(text.replace(';', "\n")) }
    }

    /// One key that ends with the process, in place of those that the name stands for.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn passing(name: &str) -> Result<Self, RingError> {
        Ok(Self { name: name.to_owned(), text: ring::new_line()? })
    }
}

impl KeySource for Environment {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn stamp(&self) -> Option<Stamp> {
        Some((0, 0, 0, 0))
    }

    fn read(&self) -> Result<Vec<RingKey>, RingError> {
        ring::keys_of(&self.text, &self.name)
    }
}

/// A key's bytes and when it was made.
pub(super) fn made() -> Result<(Zeroizing<[u8; 32]>, Timestamp), RingError> {
    Ok((new_key().map_err(|_refused| RingError::NoRandom)?, Timestamp::now()))
}
