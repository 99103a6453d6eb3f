//! Backups of a large shop: their rate beside bare `pg_dump`, the write fence at full load, memory, and what a proof
//! costs beside the restore alone.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::failure::Failure;
use crate::report::{self, Figure, say};
use crate::shop::{Shop, ShopArgs};
use crate::verify::{Selling, fill};

/// The share of bare `pg_dump`'s rate that a backup must reach.
const RATE_MIN: f64 = 0.7;
/// How long writers may be held back, in microseconds.
const FENCE_MICROS_MAX: u64 = 100_000;
/// Memory of one `estore backup create`, in KiB.
const MEMORY_KIB_MAX: u64 = 100 * 1024;
/// How many times as long as the restore alone a proof may take.
const PROOF_TIMES_MAX: u64 = 3;
/// Backups taken while orders flow; the longest fence counts.
const FENCES: usize = 3;

/// What to back up.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// How many orders the shop has, each a checkout of its own.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    orders: u64,
    /// How many products.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(10_000..=1_000_000))]
    products: u64,
    /// How many buyers buy at full speed while the fence is measured.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u8).range(1..=64))]
    buyers: u8,
    /// Measure a data directory that is filled already, by an earlier run of this.
    #[arg(long, requires = "data_dir")]
    filled: bool,
    /// Fill it and measure nothing.
    #[arg(long, requires = "data_dir", conflicts_with = "filled")]
    fill_only: bool,
    /// Print one JSON object a figure.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    shop: ShopArgs,
}

/// Where backups go, and who may read them.
struct Target {
    folder: TempDir,
    recipient: String,
    signer: String,
}

/// Measures, and answers whether every figure is as it must be.
pub(crate) async fn run(args: BackupArgs) -> Result<bool, Failure> {
    if !args.filled && args.shop.data_dir.as_ref().is_some_and(|dir| dir.exists()) {
        return Err(Failure::new("--data-dir must not exist yet: the shop is filled from nothing; or say --filled"));
    }
    let mut shop = Shop::new(&args.shop)?;
    shop.start().await?;
    if !args.filled {
        fill(&shop, args.orders, args.products).await?;
    }
    if args.fill_only {
        shop.stop().await?;
        return Ok(true);
    }
    let mut target = Target::make(&shop).await?;
    let bare = bare_dump(&shop, target.folder.path()).await?;
    say("estore backup create");
    let began = Instant::now();
    let created = target.create(&shop).await?;
    let took = millis(began);
    let memory = u64::try_from(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())?;
    let rows = created["rows"].as_u64().unwrap_or_default();
    let mut figures = vec![
        Figure::told("rows backed up", "rows", rows),
        Figure::share("backup_rate", "rows/s", rate(rows, took), rate(rows, bare), RATE_MIN),
        Figure::told("backup_size", "KiB", created["bytes"].as_u64().unwrap_or_default() / 1024),
        Figure::at_most("backup_memory", "KiB", memory, MEMORY_KIB_MAX),
    ];
    figures.extend(fences(&shop, &target, args.buyers).await?);
    shop.stop().await?;
    figures.extend(proof(&shop, &target, &args.shop).await?);
    report::print(&figures, args.json)
}

impl Target {
    async fn make(shop: &Shop) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("estore-bench-backup-").tempdir()?;
        let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), passable)?;
        let identity = folder.path().join("identity");
        let said = shop.run(&["backup".as_ref(), "keygen".as_ref(), identity.as_os_str()], None).await?;
        let recipient = said.lines().find_map(|line| line.strip_prefix("Recipient: "));
        let recipient = recipient.ok_or_else(|| Failure::new(format!("keygen names no recipient: {said}")))?.to_owned();
        Ok(Self { folder, recipient, signer: String::new() })
    }

    fn url(&self) -> String {
        format!("file://{}", self.path("target").display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn create(&mut self, shop: &Shop) -> Result<Value, Failure> {
        let created = self.created(shop).await?;
        created["signer"].as_str().unwrap_or_default().clone_into(&mut self.signer);
        Ok(created)
    }

    async fn created(&self, shop: &Shop) -> Result<Value, Failure> {
        let words = ["backup", "create", "--target", &self.url(), "--recipient", &self.recipient, "--json"];
        Ok(serde_json::from_str(&shop.run(&words, None).await?)?)
    }

    /// What opens and proves a backup.
    fn keys(&self) -> Vec<String> {
        let identity = self.path("identity").display().to_string();
        let words = ["--target".to_owned(), self.url(), "--identity".to_owned(), identity, "--signer".to_owned()];
        words.into_iter().chain([self.signer.clone(), "--json".to_owned()]).collect()
    }
}

/// `pg_dump -Fc` of the three, one after the other; how long, in milliseconds.
async fn bare_dump(shop: &Shop, folder: &Path) -> Result<u64, Failure> {
    say("pg_dump -Fc of the three databases");
    let began = Instant::now();
    for service in ["users", "inventory", "payments"] {
        let url = shop.run(&["db", "url", service], None).await?;
        let mut command = Command::new("pg_dump");
        command.arg("-Fc").arg("--file").arg(folder.join(format!("{service}.bare"))).arg(url.trim());
        let ended = command.stdin(Stdio::null()).status().await?;
        if !ended.success() {
            return Err(Failure::new(format!("pg_dump of {service} ended with {ended}")));
        }
    }
    Ok(millis(began))
}

async fn fences(shop: &Shop, target: &Target, buyers: u8) -> Result<[Figure; 3], Failure> {
    say(format!("{FENCES} backups while {buyers} buyers buy at full speed"));
    let selling = Selling::start(shop, buyers).await?;
    let began = Instant::now();
    let (mut longest, mut tries) = (0, 0);
    for _ in 0..FENCES {
        let fence = target.created(shop).await?["fence"].clone();
        if fence["held"] != true {
            return Err(Failure::new("a backup was taken without its fence"));
        }
        longest = longest.max(fence["micros"].as_u64().unwrap_or(u64::MAX));
        tries = tries.max(fence["tries"].as_u64().unwrap_or_default());
    }
    let took = millis(began);
    let bought = selling.stop().await?;
    Ok([
        Figure::time_at_most("backup_fence_ms", longest, FENCE_MICROS_MAX),
        Figure::told("backup_fence_tries", "at most", tries),
        Figure::told("orders while backups were taken", "orders/s", rate(bought, took)),
    ])
}

/// The restore alone, then the proof, of the newest backup.
async fn proof(shop: &Shop, target: &Target, args: &ShopArgs) -> Result<[Figure; 3], Failure> {
    let fresh = Shop::new(&ShopArgs { data_dir: Some(target.path("restored")), ..args.clone() })?;
    say("estore backup restore");
    let began = Instant::now();
    fresh.run(&[vec!["backup".to_owned(), "restore".to_owned()], target.keys()].concat(), None).await?;
    let alone = millis(began);
    std::fs::remove_dir_all(target.path("restored"))?;
    say("estore backup verify, all levels");
    let began = Instant::now();
    let verify = ["backup", "verify", "--scratch"].map(str::to_owned).to_vec();
    let scratch = vec![target.path("scratch").display().to_string()];
    let report: Value = serde_json::from_str(&shop.run(&[verify, scratch, target.keys()].concat(), None).await?)?;
    let took = millis(began);
    if report["passed"] != true {
        return Err(Failure::new(format!("the backup is not proven: {report}")));
    }
    Ok([
        Figure::told("backup_restore", "ms", alone),
        Figure::at_most("backup_verify", "ms", took, PROOF_TIMES_MAX * alone),
        Figure::told("levels of the proof", "", report["levels"].as_array().map_or(0, Vec::len)),
    ])
}

fn rate(things: u64, millis: u64) -> u64 {
    things.saturating_mul(1000) / millis.max(1)
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}
