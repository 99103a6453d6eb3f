//! The section `[fields]`: what is stored sealed, and under which keys.

use std::path::PathBuf;

use estore_kit::field::{DEFAULT_NAMES, Names};
use estore_kit::secret::Secret;
use serde::Deserialize;

/// The section `[fields]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldsConfig {
    /// The file of the keys, made when it is missing; `field-keys` beside the other secrets when left out.
    pub keys_file: Option<PathBuf>,
    /// The keys themselves, in lines as the file has them (`;` ends a line too), instead of a file.
    pub keys: Option<Secret>,
    /// The words by which the name of a leaf of `metadata` is personal, in small letters.
    pub personal_words: Vec<String>,
}

impl Default for FieldsConfig {
    fn default() -> Self {
        let personal_words = DEFAULT_NAMES.iter().map(|&word| word.to_owned()).collect();
        Self { keys_file: None, keys: None, personal_words }
    }
}

impl std::fmt::Debug for FieldsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FieldsConfig")
            .field("keys_file", &self.keys_file)
            .field("keys", &self.keys.as_ref().map(|_| "…"))
            .field("personal_words", &self.personal_words)
            .finish()
    }
}

impl FieldsConfig {
    /// Fine, or the key that is wrong and the mend.
    ///
    /// # Errors
    /// The key and the mend, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.keys.is_some() && self.keys_file.is_some() {
            return Err("set fields.keys or fields.keys_file, not both".to_owned());
        }
        self.names().map(drop)
    }

    /// Which leaves are personal.
    ///
    /// # Errors
    /// The key and the mend, in words.
    pub fn names(&self) -> Result<Names, String> {
        Names::of(&self.personal_words).map_err(|rule| format!("fields.personal_words: {rule}"))
    }
}
