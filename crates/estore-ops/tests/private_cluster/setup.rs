//! A data directory of one's own, and the server in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use estore_ops::connection::Connection;
use estore_ops::postgres::{ClusterError, ClusterOptions, PrivateCluster};
use tempfile::TempDir;

/// A place that the server's user can reach.
pub fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::Builder::new().prefix("estore-ops-").tempdir_in("/tmp").expect("a folder can be made");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("it can be opened");
    let data_dir = folder.path().join("shop");
    (folder, data_dir)
}

pub async fn start(data_dir: &Path) -> Result<PrivateCluster, ClusterError> {
    PrivateCluster::start(data_dir, ClusterOptions::for_tests()).await
}

pub async fn number(cluster: &PrivateCluster) -> i32 {
    let connection = Connection::open(&cluster.config_for("postgres", "postgres")).await.expect("it answers");
    connection.query_one("SELECT 42", &[]).await.expect("it answers").get(0)
}

pub fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
