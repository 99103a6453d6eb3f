//! pgBackRest's settings, and those that send the server's log to it.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use super::super::error::PitrError;
use crate::postgres::account::Account;
use crate::roles::ADMINISTRATOR;

/// Our file of settings; it holds the passphrase.
pub(crate) const CONFIGURATION: &str = "pgbackrest.conf";
/// The folder of the operator's own settings.
pub(crate) const INCLUDED: &str = "conf.d";
/// What pgBackRest calls the server.
pub(crate) const STANZA: &str = "estore";
/// A segment of the log is sent after so many seconds, full or not: what may be lost at most, but for its way.
pub(crate) const ARCHIVE_SECONDS_MAX: u32 = 30;

/// What pgBackRest must know of a server.
#[derive(Clone)]
pub(crate) struct Configuration<'a> {
    /// Where everything is kept.
    pub(crate) repository: &'a Path,
    /// What it is encrypted with.
    pub(crate) passphrase: &'a str,
    /// How long, in days.
    pub(crate) keep_days: u32,
    /// The server's data.
    pub(crate) data: &'a Path,
    /// The folder of its socket.
    pub(crate) socket: &'a Path,
}

impl Configuration<'_> {
    /// Writes it into `home`, for the server's user alone.
    pub(crate) fn write(&self, home: &Path, account: &Account) -> Result<(), PitrError> {
        for path in [self.repository, self.data, self.socket, home] {
            check_path(path)?;
        }
        write_private(home, CONFIGURATION, self.text(home).as_bytes(), account)
    }

    fn text(&self, home: &Path) -> String {
        format!(
            "# Written by `estore backup pitr setup`. Your own settings go into {INCLUDED}/*.conf beside this file.
[global]
repo1-path={repository}
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass={passphrase}
repo1-retention-full-type=time
repo1-retention-full={keep_days}
compress-type=zst
compress-level=3
process-max=2
start-fast=y
archive-timeout=120
lock-path={lock}
log-level-console=off
log-level-file=off
log-level-stderr=warn

[{STANZA}]
pg1-path={data}
pg1-socket-path={socket}
pg1-port=5432
pg1-user={ADMINISTRATOR}
",
            repository = self.repository.display(),
            passphrase = self.passphrase,
            keep_days = self.keep_days,
            lock = home.join("lock").display(),
            data = self.data.display(),
            socket = self.socket.display(),
        )
    }
}

/// The repository that the settings in `home` name; none where there are no settings.
pub(crate) fn repository_of(home: &Path) -> Result<Option<PathBuf>, PitrError> {
    let path = home.join(CONFIGURATION);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(PitrError::file("read", &path))?,
    };
    Ok(text.lines().find_map(|line| line.strip_prefix("repo1-path=")).map(PathBuf::from))
}

/// What every command begins with.
pub(crate) fn arguments(home: &Path) -> [OsString; 3] {
    let with = |option: &str, path: PathBuf| {
        let mut argument = OsString::from(option);
        argument.push(path);
        argument
    };
    [
        with("--config=", home.join(CONFIGURATION)),
        with("--config-include-path=", home.join(INCLUDED)),
        format!("--stanza={STANZA}").into(),
    ]
}

/// The server's settings that send its log to the archive.
pub(crate) fn server_settings(program: &Path, home: &Path) -> String {
    let mut words = vec![shell_quoted(&program.to_string_lossy())];
    words.extend(arguments(home).iter().map(|argument| shell_quoted(&argument.to_string_lossy())));
    // The server replaces %p, and %% by one per cent sign.
    let command = format!("{} archive-push \"%p\"", words.join(" ").replace('%', "%%"));
    format!("archive_mode = on\narchive_command = {}\narchive_timeout = {ARCHIVE_SECONDS_MAX}\n", conf_quoted(&command))
}

/// A value of `postgresql.conf`.
pub(crate) fn conf_quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

fn shell_quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._=-".contains(&byte);
    if word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// pgBackRest reads one setting a line, and trims it.
fn check_path(path: &Path) -> Result<(), PitrError> {
    let refuse = |reason| Err(PitrError::Unusable { path: path.to_owned(), reason });
    match path.to_str() {
        None => refuse("its name is not UTF-8, which pgBackRest's settings must be"),
        Some(text) if text.contains(['\n', '\r']) || text.trim() != text => {
            refuse("its name has a line break, or a space at its end, which pgBackRest's settings cannot hold")
        }
        Some(_) if !path.is_absolute() => refuse("give the whole path, from / on"),
        Some(_) => Ok(()),
    }
}

/// Replaces a file in a folder of the server's user, for that user alone, following no link it may have laid.
pub(crate) fn write_private(folder: &Path, name: &str, text: &[u8], account: &Account) -> Result<(), PitrError> {
    let (target, draft) = (folder.join(name), folder.join(format!("{name}.new")));
    drop(std::fs::remove_file(&draft));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        file.write_all(text)?;
        if account.switched {
            fchown(&file, Some(account.uid), Some(account.gid))?;
        }
        file.sync_all()?;
        std::fs::rename(&draft, &target)
    });
    written.map_err(PitrError::file("write", &target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_command_survives_odd_folders() {
        let plain = server_settings(Path::new("/usr/bin/pgbackrest"), Path::new("/srv/shop"));
        assert!(plain.contains(
            "archive_command = '/usr/bin/pgbackrest --config=/srv/shop/pgbackrest.conf \
             --config-include-path=/srv/shop/conf.d --stanza=estore archive-push \"%p\"'\narchive_timeout = 30\n"
        ));
        let odd = server_settings(Path::new("/usr/bin/pgbackrest"), Path::new("/srv/50% o'my shop"));
        // The shell's quotes, then the server's.
        assert!(odd.contains(r"''--config=/srv/50%% o''\\''''my shop/pgbackrest.conf''"), "{odd}");
    }

    #[test]
    fn paths_that_settings_cannot_hold_are_refused() {
        for path in ["relative/folder", "/srv/two\nlines", "/srv/space "] {
            check_path(Path::new(path)).unwrap_err();
        }
        check_path(Path::new("/srv/an archive")).unwrap();
    }
}
