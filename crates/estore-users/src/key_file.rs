//! Keys in files that their owner alone reads, made once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use uuid::Uuid;
use zeroize::Zeroizing;

/// What the file holds; `make` is asked for it when there is none. Two processes may start at once: each writes its own
/// file, the first to link it wins, both read the winner's.
pub(crate) fn read_or_make(
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

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
