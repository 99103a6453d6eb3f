//! A backup is whole, unreadable to others, and comes back by stock tools.

use std::process::Command;

use estore_ops::backup::{BackupError, Recipients, create, list, silent};
use estore_ops::postgres::discover;
use estore_ops::roles::READER;
use estore_testkit::cluster::TestCluster;

use crate::setup::{NEEDLE, Shop, connect, files_under, source};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_proven_level_by_level() {
    let shop = Shop::new().await;
    let created = shop.back_up().await;
    let manifest = &created.manifest;
    assert!(manifest.fence.held, "{:?}", manifest.fence);
    assert!(created.manifest.id.ends_with(|letter: char| letter.is_ascii_hexdigit()));

    let tokens = &manifest.databases[0].contents.tables["tokens"];
    assert_eq!(tokens.rows, 200, "rows behind a policy are in it too");
    assert_eq!(manifest.databases[2].contents.migrations, [202601010000]);

    let report = shop.verify("latest").await;
    assert!(report.passed, "{:#?}", report.levels);
    let names: Vec<&str> = report.levels.iter().map(|level| level.name.as_str()).collect();
    let ours = ["signature", "fetch", "hash", "decrypt", "restore", "contents", "schema", "pages", "controls"];
    assert_eq!(names, ours);
    assert!(report.restore_millis > 0 && report.age_seconds >= 0);
    let controls = &report.levels.last().unwrap().detail;
    for (spoilt, reason) in [
        ("a flipped byte", "it was changed after it was stored"),
        ("a cut file", "less than the"),
        ("a wrong key", "encrypted to other recipients"),
        ("a dropped row", "rows and had"),
        ("a missing table", "is missing"),
    ] {
        let (_, said) = controls.split_once(spoilt).unwrap_or_else(|| panic!("{spoilt} is not among {controls}"));
        assert!(said.split("; a ").next().unwrap().contains(reason), "{spoilt}: {controls}");
    }

    let listed = list(&shop.target).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].is_verified());
    let verdict = listed[0].verdict.as_ref().unwrap();
    assert_eq!(
        (verdict.restore_millis, verdict.age_seconds),
        (report.restore_millis, report.age_seconds),
        "both are kept"
    );
    assert_eq!(listed[0].manifest.as_ref(), Some(manifest));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_readable_is_stored_unless_asked() {
    let shop = Shop::new().await;
    let created = shop.back_up().await;
    let target = shop.folder.path().join("target");
    let holds_needle = |id: &str| {
        files_under(&target.join(id)).iter().any(|path| {
            let stored = std::fs::read(path).unwrap();
            let plain = zstd::decode_all(&stored[..]).unwrap_or(stored);
            plain.windows(NEEDLE.len()).any(|window| window == NEEDLE.as_bytes())
        })
    };
    assert!(!holds_needle(&created.manifest.id));

    let mut options = shop.options();
    options.recipients = Recipients::nobody();
    let readable = create(&shop.sources(), &shop.target, &options, &silent).await.unwrap();
    assert!(readable.manifest.recipients.is_empty());
    assert!(holds_needle(&readable.manifest.id), "the search above can find it");
    assert!(shop.verify(&readable.manifest.id).await.passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_does_not_see_every_row_is_refused() {
    let shop = Shop::new().await;
    let sources = [source(&shop.users, READER)];
    let error = create(&sources, &shop.target, &shop.options(), &silent).await.unwrap_err();
    assert!(matches!(error, BackupError::NotWhole { .. }), "{error}");
    assert!(list(&shop.target).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_tools_restore_it_without_us() {
    let shop = Shop::new().await;
    let created = shop.back_up().await;
    let name = format!("{}.dump.zst.age", shop.payments.name());
    let file = shop.file(&created.manifest.id, &name);
    let identity = shop.folder.path().join("identity");
    let plain = shop.folder.path().join("plain.dump");
    let sealed = shop.folder.path().join("sealed.dump.zst.age");
    std::fs::copy(&file, &sealed).unwrap();
    let opened = sealed.with_extension("");
    let mut age = Command::new("age");
    age.arg("--decrypt").arg("--identity").arg(&identity).arg("--output").arg(&opened).arg(&sealed);
    assert!(age.status().expect("`age` is on this machine (apt-get install age)").success());
    let zstd = Command::new("zstd").args(["--decompress", "--quiet", "-o"]).arg(&plain).arg(&opened).status();
    assert!(zstd.unwrap().success());

    let fresh = TestCluster::shared().await.empty_database("payments").await;
    let url = fresh.url_as("postgres");
    let pg_restore = discover(None).unwrap().program("pg_restore");
    let mut restoring = Command::new(pg_restore);
    restoring.args(["--exit-on-error", "--clean", "--if-exists", "--dbname", &url]).arg(&plain);
    let status = restoring.status().unwrap();
    assert!(status.success());
    let row = connect(&fresh).await.query_one("SELECT count(*), sum(total_amount) FROM orders", &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1000, 500_500));
}
