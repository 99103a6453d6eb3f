//! Finds a PostgreSQL server on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::error::ClusterError;

/// The oldest major version that will do.
pub const VERSION_MIN: u32 = 15;

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder that holds `postgres`, `initdb`, `pg_dump` and the others.
    pub folder: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
}

impl Binaries {
    /// The path of one program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether a loadable library such as `pg_stat_statements` is installed beside the server.
    #[must_use]
    pub fn has_library(&self, name: &str) -> bool {
        let file = format!("{name}.so");
        ["../lib", "../lib/postgresql", "../lib64", "../lib64/pgsql"]
            .iter()
            .any(|folder| self.folder.join(folder).join(&file).exists())
    }
}

/// The first installation of [`VERSION_MIN`] or newer: on `PATH`, by `pg_config --bindir`, then in
/// the distributions' versioned folders, the highest version first. With `major` only that version.
///
/// # Errors
/// [`ClusterError::NotInstalled`], with the command that mends it.
pub fn discover(major: Option<u32>) -> Result<Binaries, ClusterError> {
    choose(&candidates(), major)
}

fn choose(folders: &[PathBuf], major: Option<u32>) -> Result<Binaries, ClusterError> {
    let mut seen = Vec::new();
    for folder in folders {
        let Some(found) = inspect(folder) else { continue };
        let fits = major.map_or(found.major >= VERSION_MIN, |wanted| found.major == wanted);
        if fits {
            return Ok(found);
        }
        seen.push(format!("{} in {}", found.major, found.folder.display()));
    }
    seen.dedup();
    Err(ClusterError::NotInstalled {
        wanted: major.map_or_else(|| format!("{VERSION_MIN} or newer"), |major| major.to_string()),
        seen: if seen.is_empty() { String::new() } else { format!("; found only {}", seen.join(", ")) },
        mend: major.map_or_else(
            || "sudo apt-get install postgresql".to_owned(),
            |major| format!("sudo apt-get install postgresql-{major}"),
        ),
    })
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output()
        && answer.status.success()
    {
        folders.push(PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()));
    }
    let mut versioned: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/usr/local", "pgsql-")] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix)).and_then(|v| v.parse().ok());
            if let Some(version) = version {
                versioned.push((version, entry.path().join("bin")));
            }
        }
    }
    versioned.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    folders.extend(versioned.into_iter().map(|(_, folder)| folder));
    folders
}

/// A folder counts when `postgres`, behind any symbolic link, has `initdb` beside it.
fn inspect(folder: &Path) -> Option<Binaries> {
    let server = fs::canonicalize(folder.join("postgres")).ok()?;
    let home = server.parent()?.to_owned();
    if !home.join("initdb").is_file() {
        return None;
    }
    let answer = Command::new(&server).arg("--version").output().ok()?;
    let major = major_version(&String::from_utf8_lossy(&answer.stdout))?;
    Some(Binaries { folder: home, major })
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` and `postgres (PostgreSQL) 17beta1` alike.
fn major_version(text: &str) -> Option<u32> {
    let version = text.split("(PostgreSQL)").nth(1)?.trim_start();
    version.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(major_version("something else"), None);
    }

    #[test]
    fn says_how_to_install_it() {
        let error = choose(&[PathBuf::from("/nowhere")], Some(16)).unwrap_err().to_string();
        assert!(error.contains("sudo apt-get install postgresql-16"), "{error}");
        let error = choose(&[], None).unwrap_err().to_string();
        assert!(error.contains("15 or newer") && error.contains("apt-get install postgresql"), "{error}");
    }
}
