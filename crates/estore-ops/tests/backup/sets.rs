//! Backups brought back and let go.

use std::path::Path;

use estore_ops::backup::{BackupError, RestoreOptions, Retention, list, prune, restore_into, silent};
use estore_ops::connection::Connection;
use estore_ops::postgres::{ClusterOptions, PrivateCluster};
use estore_ops::roles::{ADMINISTRATOR, Service};
use jiff::{Timestamp, ToSpan};

use crate::setup::{Shop, connect};

fn options(shop: &Shop) -> RestoreOptions {
    RestoreOptions {
        identity: Some(shop.identity()),
        signer: shop.signer.public(),
        services: Vec::new(),
        destructive: false,
        staging_parent: shop.folder.path().join("staging"),
    }
}

async fn orders(data_dir: &Path, database: &str) -> i64 {
    let cluster = Box::pin(PrivateCluster::start(data_dir, ClusterOptions::for_tests())).await.unwrap();
    let connection = Connection::open(&cluster.config_for(database, ADMINISTRATOR)).await.unwrap();
    let row = connection.query_one("SELECT count(*) FROM orders", &[]).await.unwrap();
    cluster.stop().await.unwrap();
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn into_a_new_data_directory_and_never_over_a_live_one() {
    let shop = Shop::new().await;
    shop.back_up().await;
    std::fs::set_permissions(shop.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let data_dir = shop.folder.path().join("new");
    let cut = data_dir.join("restoring/postgres");
    std::fs::create_dir_all(&cut).unwrap();
    std::fs::set_permissions(&data_dir, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let mut wanted = options(&shop);
    wanted.services = vec![Service::Payments];
    let restored = Box::pin(restore_into(&shop.target, "latest", &data_dir, &wanted, &silent)).await.unwrap();
    assert_eq!(restored.databases, ["estore_payments"], "under the name that the shop looks for");
    assert!(!cut.exists(), "what a cut restore left is gone");
    assert_eq!(orders(&data_dir, "estore_payments").await, 1000);

    connect(&shop.payments).await.batch_execute("DELETE FROM orders WHERE id > 900").await.unwrap();
    shop.back_up().await;
    let refused = Box::pin(restore_into(&shop.target, "latest", &data_dir, &wanted, &silent)).await.unwrap_err();
    assert!(matches!(refused, BackupError::InTheWay { .. }), "{refused}");
    assert_eq!(orders(&data_dir, "estore_payments").await, 1000, "nothing was changed");

    wanted.destructive = true;
    Box::pin(restore_into(&shop.target, "latest", &data_dir, &wanted, &silent)).await.unwrap();
    assert_eq!(orders(&data_dir, "estore_payments").await, 900);
    assert_eq!(
        std::fs::read_dir(shop.folder.path().join("staging")).unwrap().count(),
        0,
        "nothing is left lying about"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_removes_only_what_manifests_list_and_never_the_newest_proven_set() {
    let shop = Shop::new().await;
    let proven = shop.back_up().await.manifest.id;
    assert!(shop.verify(&proven).await.passed);
    let second = shop.back_up().await.manifest;
    let third = shop.back_up().await.manifest.id;
    let stranger = shop.file(&second.id, "notes-of-the-administrator.txt");
    std::fs::write(&stranger, "keep me").unwrap();

    let much_later = Timestamp::now() + (24 * 365).hours();
    let retention = Retention { keep_days: 30, keep_sets: 1 };
    let soon = prune(&shop.target, retention, Timestamp::now(), false).await.unwrap();
    assert!(soon.is_empty());
    let told = prune(&shop.target, retention, much_later, true).await.unwrap();
    assert_eq!(told.iter().map(|set| set.id.as_str()).collect::<Vec<_>>(), [second.id.as_str()]);
    assert_eq!(list(&shop.target).await.unwrap().iter().filter(|set| set.is_backup()).count(), 3, "only told");

    prune(&shop.target, retention, much_later, false).await.unwrap();
    let left: Vec<String> =
        list(&shop.target).await.unwrap().into_iter().filter(|set| set.is_backup()).map(|set| set.id).collect();
    assert_eq!(left, [proven, third]);
    assert_eq!(std::fs::read_to_string(&stranger).unwrap(), "keep me");
    assert!(second.files.iter().all(|file| !shop.file(&second.id, &file.name).exists()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_proof_left_is_removed_and_one_under_way_is_not() {
    let shop = Shop::new().await;
    let id = shop.back_up().await.manifest.id;
    std::fs::set_permissions(shop.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let parent = shop.folder.path().join("scratch");
    let (dead, alive, other) =
        (parent.join("estore-verify-dead"), parent.join("estore-verify-alive"), parent.join("other"));
    for folder in [&dead, &alive, &other] {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("lock"), "").unwrap();
    }
    // As a killed one leaves it: a server that still runs.
    let cluster = Box::pin(PrivateCluster::start(&dead.join("data"), ClusterOptions::for_tests())).await.unwrap();
    let pid = cluster.pid().await.unwrap();
    drop(cluster.detach());
    let held = std::fs::File::open(alive.join("lock")).unwrap();
    held.lock().unwrap();

    let mut options = shop.verify_options();
    options.scratch_parent = parent.clone();
    let report = Box::pin(estore_ops::backup::verify(&shop.target, &id, &options, &silent)).await.unwrap();
    assert!(report.passed, "{:#?}", report.levels);
    assert!(!dead.exists() && alive.exists() && other.exists());
    let ended = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "));
    assert!(ended, "the server that was left behind runs on");
    assert_eq!(std::fs::read_dir(&parent).unwrap().count(), 2, "nothing of the proof stays");
}
