//! The server behind the tests: started by whoever needs it first, ended when nobody has for a while.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use estore_ops::connection::{Connection, quote_identifier};
use estore_ops::postgres::{ClusterAddress, ClusterOptions, PrivateCluster};
use estore_ops::roles::{self, ADMINISTRATOR, RoleOptions};
use tokio_postgres::Config;

/// Held shared while this process lives: the watchdog counts the server as used.
static IN_USE: OnceLock<File> = OnceLock::new();

/// Ends the server once nobody has held `users.lock` for twenty seconds. Whoever starts the server
/// holds `start.lock`, so it is never ended under a process that has just found it running.
const WATCHDOG: &str = r#"
idle=0
while kill -0 "$1" 2>/dev/null; do
    sleep 2
    if flock -n -x users.lock true; then idle=$((idle + 1)); else idle=0; fi
    if [ "$idle" -ge 10 ]; then
        flock -x start.lock sh -c '
            flock -n -x users.lock true || exit 0
            kill -INT "$1" 2>/dev/null
            tries=0
            while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
        ' sh "$1"
        idle=0
    fi
done
"#;

/// The administrator's way to the running server.
pub(super) async fn shared() -> Config {
    let folder = folder();
    let starting = open_lock(&folder.join("start.lock"));
    starting.lock().expect("the start lock can be taken");
    let in_use = IN_USE.get_or_init(|| open_lock(&folder.join("users.lock")));
    in_use.lock_shared().expect("the users' lock can be shared");
    let data_dir = folder.join("cluster");
    let administrator = ClusterAddress::of(&data_dir).config_for("postgres", ADMINISTRATOR);
    if Connection::open(&administrator).await.is_err() {
        start(&folder, &data_dir, &administrator).await;
    }
    administrator
}

async fn start(folder: &Path, data_dir: &Path, administrator: &Config) {
    let cluster = PrivateCluster::start(data_dir, ClusterOptions::for_tests())
        .await
        .unwrap_or_else(|error| panic!("the test server does not start: {error}"));
    let pid = cluster.pid().await.expect("a started server has a process");
    watch(folder, pid);
    let options = RoleOptions { server_is_ours: true, ..RoleOptions::default() };
    roles::bootstrap(administrator, &options).await.unwrap_or_else(|error| panic!("{error}"));
    remove_leftovers(administrator).await;
    drop(cluster.detach());
}

/// Databases of tests that were killed; nobody uses a server that has only just started.
async fn remove_leftovers(administrator: &Config) {
    let connection = Connection::open(administrator).await.expect("the test server answers");
    let sql = "SELECT datname::text FROM pg_database WHERE datname ~ '^estore_[a-z]+_(test|template)_'";
    for row in connection.query(sql, &[]).await.expect("the databases can be listed") {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", quote_identifier(row.get(0)));
        connection.batch_execute(&drop).await.expect("a leftover database can be removed");
    }
}

fn watch(folder: &Path, pid: u32) {
    // The outer shell ends at once, so the watchdog is nobody's child and no test waits for it.
    let mut outer = Command::new("sh");
    outer.args(["-c", r#"sh -c "$1" sh "$2" &"#, "sh", WATCHDOG, &pid.to_string()]).current_dir(folder);
    outer.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = outer.status().expect("the watchdog can be started");
    assert!(started.success(), "the watchdog can be started");
}

/// Under `/tmp`, which the server's user can reach and whose path is short enough for a socket; one
/// for each checkout, so that two do not disturb each other.
fn folder() -> PathBuf {
    let checkout = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(env!("CARGO_MANIFEST_DIR")));
    let folder = PathBuf::from(format!("/tmp/estore-tests-{}-{}", nix::unistd::getuid(), &checkout[..12]));
    let made = fs::DirBuilder::new().recursive(true).mode(0o711).create(&folder);
    made.unwrap_or_else(|error| panic!("cannot make {}: {error}", folder.display()));
    folder
}

fn open_lock(path: &Path) -> File {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.unwrap_or_else(|error| panic!("cannot open {}: {error}", path.display()))
}
