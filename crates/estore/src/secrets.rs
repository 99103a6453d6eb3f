//! Secrets that EStore makes for itself, in files that only their owner reads.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estore_kit::secret::Secret;
use rand::Rng;
use zeroize::Zeroizing;

/// Random bytes in a secret, before encoding.
const SECRET_BYTES: usize = 32;

/// The folder of the secrets, made when missing.
pub fn folder(data_dir: &Path) -> io::Result<PathBuf> {
    let folder = data_dir.join("secrets");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}

/// The secret `name` of the data directory, made when missing. Safe beside another process doing the same.
pub fn read_or_make(data_dir: &Path, name: &str) -> io::Result<Secret> {
    let path = folder(data_dir)?.join(name);
    if let Ok(secret) = read(&path) {
        return Ok(secret);
    }
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", random().reveal())?;
    file.sync_all()?;
    // The first to link wins; everybody then reads the same.
    match fs::hard_link(&draft, &path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => fs::remove_file(&draft)?,
    }
    read(&path)
}

fn read(path: &Path) -> io::Result<Secret> {
    let text = fs::read_to_string(path).map(Zeroizing::new)?;
    Ok(Secret::from(text.trim()))
}

/// A secret of 256 random bits as text.
pub fn random() -> Secret {
    let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
    rand::rng().fill_bytes(&mut *bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(*bytes))
}

#[cfg(test)]
mod tests {
    use super::read_or_make;

    #[test]
    fn a_secret_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_make(folder.path(), "service-secret").unwrap();
        assert_eq!(read_or_make(folder.path(), "service-secret").unwrap(), first);
        assert!(first.reveal().len() >= 43);
    }
}
