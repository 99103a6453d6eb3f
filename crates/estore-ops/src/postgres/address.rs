//! Where a private cluster is reached.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio_postgres::Config;

/// The port number in the socket's name; nothing listens on TCP.
const PORT: u16 = 5432;
/// What the kernel allows for a socket's path, in bytes, with its closing NUL.
const SOCKET_PATH_BYTES: usize = 108;

/// A private cluster's socket folder: all that is needed to connect, whoever started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterAddress {
    socket_dir: PathBuf,
}

impl ClusterAddress {
    /// The address of the cluster under a data directory, running or not.
    ///
    /// The socket lies in `DIR/run`, or under `/tmp` where that path is too long for a socket.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        let data_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        let data_dir = data_dir.canonicalize().unwrap_or(data_dir);
        let near = data_dir.join("run");
        let path_bytes = near.as_os_str().len() + "/.s.PGSQL.5432".len();
        if path_bytes < SOCKET_PATH_BYTES {
            return Self { socket_dir: near };
        }
        let digest = hex::encode(Sha256::digest(data_dir.as_os_str().as_bytes()));
        Self { socket_dir: PathBuf::from(format!("/tmp/estore-{}", &digest[..24])) }
    }

    /// An address from a socket folder that is already known.
    #[must_use]
    pub fn at(socket_dir: &Path) -> Self {
        Self { socket_dir: socket_dir.to_owned() }
    }

    /// The folder of the unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// How a driver connects to a database as a role.
    #[must_use]
    pub fn config_for(&self, database: &str, role: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.socket_dir).port(PORT).dbname(database).user(role);
        config
    }

    /// The same as a URL that psql takes.
    #[must_use]
    pub fn url_for(&self, database: &str, role: &str) -> String {
        format!(
            "postgresql:///{}?host={}&port={PORT}&user={}",
            percent_encoded(database.as_bytes()),
            percent_encoded(self.socket_dir.as_os_str().as_bytes()),
            percent_encoded(role.as_bytes()),
        )
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_escapes_what_a_folder_may_hold() {
        let url = ClusterAddress::at(Path::new("/srv/my shop/ü&run")).url_for("estore_users", "estore_users_app");
        assert_eq!(
            url,
            "postgresql:///estore_users?host=%2Fsrv%2Fmy%20shop%2F%C3%BC%26run&port=5432&user=estore_users_app"
        );
        let config: Config = url.parse().unwrap();
        assert_eq!(config.get_dbname(), Some("estore_users"));
    }

    #[test]
    fn a_long_data_directory_gets_a_short_socket() {
        let long = PathBuf::from("/var/lib").join("x".repeat(100));
        let address = ClusterAddress::of(&long);
        assert!(address.socket_dir().starts_with("/tmp"));
        assert_eq!(address, ClusterAddress::of(&long));
        assert_ne!(address, ClusterAddress::of(&long.join("y")));
        assert_eq!(ClusterAddress::of(Path::new("/var/lib/shop")).socket_dir(), Path::new("/var/lib/shop/run"));
    }
}
