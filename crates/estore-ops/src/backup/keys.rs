//! Who may read a backup: age recipients on the way in, identities on the way out.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use age::x25519;
use zeroize::Zeroizing;

use super::error::BackupError;

/// The public keys a backup is encrypted to; none means that it is not encrypted.
#[derive(Debug, Clone, Default)]
pub struct Recipients {
    keys: Vec<x25519::Recipient>,
}

impl Recipients {
    /// Reads them as `age1…` texts.
    ///
    /// # Errors
    /// [`BackupError::NoRecipients`] when there is none, [`BackupError::Key`] for one that is malformed.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BackupError> {
        let mut keys = Vec::new();
        for text in texts {
            let key = text.trim().parse().map_err(|reason: &str| BackupError::Key {
                what: format!("the recipient {text}"),
                reason: format!("{reason}; a recipient begins with age1"),
            })?;
            keys.push(key);
        }
        if keys.is_empty() { Err(BackupError::NoRecipients) } else { Ok(Self { keys }) }
    }

    /// For a backup that anybody can read.
    #[must_use]
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Whether the backup is encrypted.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        !self.keys.is_empty()
    }

    /// As texts.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        self.keys.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn encryptor(&self) -> Result<age::Encryptor, age::EncryptError> {
        age::Encryptor::with_recipients(self.keys.iter().map(|key| key as &dyn age::Recipient))
    }
}

/// The private keys that open a backup.
#[derive(Clone)]
pub struct Identity {
    keys: Arc<Vec<Box<dyn age::Identity + Send + Sync>>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("keys", &self.keys.len()).finish()
    }
}

impl Identity {
    /// Reads a file as `age-keygen` or [`generate_identity`] writes it.
    ///
    /// # Errors
    /// [`BackupError::File`], or [`BackupError::Key`] when it holds no identity.
    pub fn read(path: &Path) -> Result<Self, BackupError> {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(BackupError::file("read the identity", path))?;
        let refuse = |reason: String| BackupError::Key { what: format!("the identity {}", path.display()), reason };
        let file = age::IdentityFile::from_buffer(text.as_bytes()).map_err(|error| refuse(error.to_string()))?;
        let keys = file.into_identities().map_err(|error| refuse(error.to_string()))?;
        if keys.is_empty() {
            return Err(refuse("it holds no line AGE-SECRET-KEY-1…".to_owned()));
        }
        Ok(Self { keys: Arc::new(keys) })
    }

    /// A new one, that no backup is encrypted to.
    pub(crate) fn of_nobody() -> Self {
        Self { keys: Arc::new(vec![Box::new(x25519::Identity::generate())]) }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys.iter().map(|key| &**key as &dyn age::Identity)
    }
}

/// Writes a new identity to a file of that name, readable by its owner alone, and answers its recipient.
///
/// # Errors
/// [`BackupError::File`], also when the file is there already: a key is never overwritten.
pub fn generate_identity(path: &Path) -> Result<String, BackupError> {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let text = Zeroizing::new(format!("# public key: {recipient}\n{}\n", secret.expose_secret()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(BackupError::file("write the identity", path))?;
    Ok(recipient)
}
