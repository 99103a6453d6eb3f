//! The shop's figures: what `/metrics` tells is what PostgreSQL tells; Prometheus reads it, and the alerts follow.

mod alerts;
mod figures;
mod health;
mod page;
mod prometheus;
mod silence;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use estore_ops::postgres::discover;
use estore_testkit::shop::{Processes, Shop};

/// The binary under test.
const ESTORE: &str = env!("CARGO_BIN_EXE_estore");
/// How long something may take to show.
const WAIT_MAX: Duration = Duration::from_secs(180);

/// A shop for this test alone.
async fn own_shop(processes: Processes) -> Shop {
    Shop::start(Path::new(ESTORE), processes).await
}

/// A file of `deploy/`.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name)
}

/// What `psql` answers to one statement on a service's database, as lines of columns.
fn psql(shop: &Shop, database: &str, sql: &str) -> Vec<Vec<String>> {
    let url = shop.estore(&["db", "url", database], "");
    let program = discover(None).unwrap().program("psql");
    let output = Command::new(program).args(["-XAtq", "-F", "\t", "-d", url.trim(), "-c", sql]).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Waits until something is there.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < WAIT_MAX, "{what} did not come within {WAIT_MAX:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
