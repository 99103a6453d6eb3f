//! Keys in files that their owner alone reads, made once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use uuid::Uuid;
use zeroize::Zeroizing;

/// What the file holds; `make` is asked for it when there is none. Two processes may start at once: each writes its own
/// file, the first to link it wins, both read the winner's.
///
/// # Errors
/// When the file cannot be read or made, or `make` fails.
pub fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> io::Result<Zeroizing<String>>,
) -> io::Result<Zeroizing<String>> {
    if !path.try_exists()? {
        let text = make()?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let draft = path.with_extension(format!("{}.new", Uuid::new_v4()));
        let made = write_private(&draft, &text).and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        });
        drop(fs::remove_file(&draft));
        made?;
    }
    fs::read_to_string(path).map(Zeroizing::new)
}

/// Puts `text` in the place of the file: whoever reads it sees the one or the other whole.
///
/// # Errors
/// When it cannot be written beside the file, or not put in its place.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", Uuid::new_v4()));
    let replaced = write_private(&draft, text).and_then(|()| fs::rename(&draft, path));
    if replaced.is_err() {
        drop(fs::remove_file(&draft));
    }
    replaced?;
    // The name, too, is to outlive the machine's fall before anything is sealed under what it holds.
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
