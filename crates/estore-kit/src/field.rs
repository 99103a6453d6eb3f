//! Fields that a copy of the database tells nothing of: personal leaves of JSON and whole columns of text, sealed for the
//! row that they stand in (AES-256-GCM).
//!
//! Each row has a data key of its own, which stands beside what it seals, wrapped by the newest key of a ring that the
//! database does not have. A new key in the ring therefore wraps data keys anew and touches nothing that they seal.
//! In the database a sealed field is text, [`PREFIX`], the key's name and the rest in base64.

mod aead;
mod column;
mod envelope;
mod error;
mod names;
mod ring;
mod source;
mod tokens;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

pub use self::aead::{AeadError, AeadKey, new_key};
pub use self::column::{SealedColumn, Sealing};
use self::envelope::{RowKey, Sealed};
pub use self::error::SealError;
pub use self::names::{DEFAULT_NAMES, Names};
pub use self::ring::{KeyState, Ring, RingKey};
pub use self::source::{Environment, KeyFile, KeySource, RingError, Stamp};

/// What every sealed field begins with: that it is one, and its form.
pub const PREFIX: &str = "sealed:1:";

/// The one place where something sealed opens.
#[derive(Debug, Clone, Copy)]
pub struct Place<D> {
    /// The table.
    pub table: &'static str,
    /// Its column.
    pub column: &'static str,
    /// What names the row, known before the row is written and never changed.
    pub row: D,
}

impl<D: fmt::Display> fmt::Display for Place<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}|{}", self.table, self.column, self.row)
    }
}

/// Seals and opens fields.
pub struct Fields {
    ring: Ring,
    names: Names,
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("ring", &self.ring).finish_non_exhaustive()
    }
}

impl Fields {
    /// Seals under the newest key of the ring, in JSON what stands under these names.
    #[must_use]
    pub fn new(ring: Ring, names: Names) -> Self {
        Self { ring, names }
    }

    /// Under a key that ends with this process.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn passing() -> Result<Self, RingError> {
        Ok(Self::new(Ring::open(Box::new(Environment::passing("this process")?))?, Names::default()))
    }

    /// The keys.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Seals what stands under a personal name, at any depth; answers whether there was any. What is sealed already stays.
    ///
    /// # Errors
    /// When the ring cannot be read or the system gives no random numbers; the document is then not to be used.
    pub fn seal_leaves<D: fmt::Display>(
        &self,
        document: &mut Map<String, Value>,
        place: Place<D>,
    ) -> Result<bool, SealError> {
        if document.is_empty() {
            return Ok(false);
        }
        let mut row = None;
        self.seal_within(document, &place, &mut row)?;
        Ok(row.is_some())
    }

    fn seal_within<D: fmt::Display>(
        &self,
        document: &mut Map<String, Value>,
        place: &Place<D>,
        row: &mut Option<RowKey>,
    ) -> Result<(), SealError> {
        for (name, value) in document.iter_mut() {
            if self.names.cover(name) && is_open(value) {
                let key = match row {
                    Some(key) => key,
                    None => row.insert(RowKey::make(&*self.ring.newest()?, place)?),
                };
                *value = Value::String(key.seal(value.to_string().as_bytes())?);
            } else {
                self.seal_beneath(value, place, row)?;
            }
        }
        Ok(())
    }

    fn seal_beneath<D: fmt::Display>(
        &self,
        value: &mut Value,
        place: &Place<D>,
        row: &mut Option<RowKey>,
    ) -> Result<(), SealError> {
        match value {
            Value::Object(inner) => self.seal_within(inner, place, row),
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.seal_beneath(item, place, row)),
            _ => Ok(()),
        }
    }

    /// Whether something under a personal name is not sealed.
    #[must_use]
    pub fn has_open_leaves(&self, value: &Value) -> bool {
        match value {
            Value::Object(inner) => inner
                .iter()
                .any(|(name, value)| self.names.cover(name) && is_open(value) || self.has_open_leaves(value)),
            Value::Array(items) => items.iter().any(|item| self.has_open_leaves(item)),
            _ => false,
        }
    }

    /// Opens every sealed leaf of a document.
    ///
    /// # Errors
    /// When one does not open here, or its key is not known.
    pub fn open_leaves<D: fmt::Display>(&self, value: &mut Value, place: Place<D>) -> Result<(), SealError> {
        self.open_beneath(value, &place)
    }

    fn open_beneath<D: fmt::Display>(&self, value: &mut Value, place: &Place<D>) -> Result<(), SealError> {
        match value {
            Value::String(text) => {
                if let Some(sealed) = Sealed::read(text) {
                    let leaf = self.open(&sealed, place)?;
                    *value =
                        serde_json::from_slice(&leaf).map_err(|_malformed| SealError::Broken(place.to_string()))?;
                }
                Ok(())
            }
            Value::Object(inner) => inner.values_mut().try_for_each(|value| self.open_beneath(value, place)),
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.open_beneath(item, place)),
            _ => Ok(()),
        }
    }

    /// JSON as it goes out, with every sealed leaf opened and all else byte for byte as it is.
    ///
    /// # Errors
    /// When one does not open here, or its key is not known.
    pub fn open_json<'a, D: fmt::Display>(&self, json: &'a str, place: Place<D>) -> Result<Cow<'a, str>, SealError> {
        tokens::replaced(json, tokens::With::ItsQuotes, |token| {
            let Some(sealed) = Sealed::read(token) else { return Ok(None) };
            let leaf = self.open(&sealed, &place)?;
            String::from_utf8(leaf).map(Some).map_err(|_malformed| SealError::Broken(place.to_string()))
        })
    }

    /// Seals a whole text for its place.
    ///
    /// # Errors
    /// When the ring cannot be read or the system gives no random numbers.
    pub fn seal_text<D: fmt::Display>(&self, text: &str, place: Place<D>) -> Result<String, SealError> {
        Ok(RowKey::make(&*self.ring.newest()?, &place)?.seal(text.as_bytes())?)
    }

    /// A text, opened where it is sealed.
    ///
    /// # Errors
    /// When it does not open here, or its key is not known.
    pub fn open_text<D: fmt::Display>(&self, text: String, place: Place<D>) -> Result<String, SealError> {
        let Some(sealed) = Sealed::read(&text) else { return Ok(text) };
        String::from_utf8(self.open(&sealed, &place)?).map_err(|_malformed| SealError::Broken(place.to_string()))
    }

    /// The text, JSON or not, with the data keys of its sealed fields wrapped by the newest key; none where they are already.
    ///
    /// # Errors
    /// When a field does not belong here, or its key is not known.
    pub fn rewrap<D: fmt::Display>(&self, text: &str, place: Place<D>) -> Result<Option<String>, SealError> {
        let newest = self.ring.newest()?;
        let rewrapped = tokens::replaced(text, tokens::With::Nothing, |token| {
            let Some(sealed) = Sealed::read(token) else { return Ok(None) };
            if sealed.key == newest.id {
                return Ok(None);
            }
            sealed.rewrapped(&*self.key_of(&sealed, &place)?, &newest, &place).map(Some)
        })?;
        Ok(match rewrapped {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        })
    }

    /// The names of the keys that a text's sealed fields are sealed under, each as often as it is used.
    pub fn keys_in(text: &str) -> impl Iterator<Item = &str> {
        tokens::of(text).filter_map(|token| Sealed::read(token).map(|sealed| sealed.key))
    }

    fn key_of<D: fmt::Display>(
        &self,
        sealed: &Sealed<'_>,
        place: &Place<D>,
    ) -> Result<std::sync::Arc<RingKey>, SealError> {
        self.ring.named(sealed.key).ok_or_else(|| SealError::UnknownKey {
            place: place.to_string(),
            key: sealed.key.to_owned(),
            source_name: self.ring.source_name(),
        })
    }

    fn open<D: fmt::Display>(&self, sealed: &Sealed<'_>, place: &Place<D>) -> Result<Vec<u8>, SealError> {
        sealed.open(&*self.key_of(sealed, place)?, place)
    }
}

/// Whether something begins as sealed fields do, which nothing that comes from outside may.
#[must_use]
pub fn is_reserved(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(PREFIX),
        Value::Object(inner) => inner.iter().any(|(name, value)| name.starts_with(PREFIX) || is_reserved(value)),
        Value::Array(items) => items.iter().any(is_reserved),
        _ => false,
    }
}

/// Whether a leaf says something and is not sealed.
fn is_open(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => Sealed::read(text).is_none(),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
