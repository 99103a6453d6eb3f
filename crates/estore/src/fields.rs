//! The keys of sealed fields, as the configuration names them.

use std::path::PathBuf;

use estore_kit::field::{Environment, Fields, KeyFile, KeySource, Ring, SealedColumn};
use estore_ops::roles::Service;

use crate::config::Config;
use crate::secrets;

/// The setting that holds keys themselves, as a variable.
const VARIABLE: &str = "ESTORE_FIELDS__KEYS";
/// The file of the keys in the folder of secrets.
const KEYS: &str = "field-keys";

/// Every column with sealed fields, by database.
pub const COLUMNS: &[(Service, &[SealedColumn])] =
    &[(Service::Users, estore_users::SEALED_COLUMNS), (Service::Payments, estore_payments::SEALED_COLUMNS)];

/// The file of the keys; none where they come with the configuration.
pub fn file(config: &Config) -> Option<PathBuf> {
    match (&config.fields.keys, &config.fields.keys_file) {
        (Some(_), _) => None,
        (None, Some(path)) => Some(path.clone()),
        (None, None) => Some(config.data_dir.join("secrets").join(KEYS)),
    }
}

/// What seals and opens, under keys that are made when missing.
///
/// # Errors
/// When the keys cannot be read or made.
pub fn open(config: &Config) -> Result<Fields, Box<dyn std::error::Error>> {
    if let Some(path) = file(config) {
        secrets::folder(&config.data_dir)?;
        KeyFile::open(&path)?;
    }
    look(config)
}

/// The same for those who look only: where there are no keys, none is made.
///
/// # Errors
/// When the keys cannot be read.
pub fn look(config: &Config) -> Result<Fields, Box<dyn std::error::Error>> {
    let source: Box<dyn KeySource> = match (&config.fields.keys, file(config)) {
        (Some(keys), _) => Box::new(Environment::new(VARIABLE, keys.reveal())),
        (None, path) => {
            let path = path.unwrap_or_default();
            match KeyFile::existing(&path) {
                Some(file) => Box::new(file),
                None => Box::new(Environment::passing(&path.display().to_string())?),
            }
        }
    };
    Ok(Fields::new(Ring::open(source)?, config.fields.names()?))
}
