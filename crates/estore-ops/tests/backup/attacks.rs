//! Negative controls: what is wrong with a backup is found, at the level that says what it is.

use std::sync::Mutex;

use estore_ops::backup::{
    BackupError, BackupEvent, Identity, Report, SigningKey, create, generate_identity, list, silent, verify,
};
use estore_ops::connection::Connection;

use crate::setup::{Shop, connect};

fn assert_fails(report: &Report, level: &str, why: &str) {
    let failure = report.failure().unwrap_or_else(|| panic!("it passed: {:#?}", report.levels));
    assert_eq!(failure.name, level, "{}", failure.detail);
    assert!(failure.detail.contains(why), "{}", failure.detail);
    assert!(!report.passed);
    let after = report.levels.iter().skip_while(|level| level.passed.is_some());
    assert!(after.clone().all(|level| level.passed.is_none()) && after.count() > 0, "{:?}", report.levels);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_a_cut_and_a_missing_file() {
    let shop = Shop::new().await;
    let created = shop.back_up().await;
    let id = &created.manifest.id;
    let name = format!("{}.dump.zst.age", shop.inventory.name());
    let path = shop.file(id, &name);
    let whole = std::fs::read(&path).unwrap();

    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    let report = shop.verify(id).await;
    assert_fails(&report, "hash", "it was changed after it was stored");
    assert!(report.failure().unwrap().detail.contains(&name));

    std::fs::write(&path, &whole[..whole.len() - 100]).unwrap();
    assert_fails(&shop.verify(id).await, "fetch", "less than the");
    let listed = list(&shop.target).await.unwrap();
    assert!(!listed[0].is_backup() && listed[0].faults[0].contains("should have"), "{:?}", listed[0].faults);
    assert!(!listed[0].is_verified());

    std::fs::remove_file(&path).unwrap();
    assert_fails(&shop.verify(id).await, "fetch", "it is missing");

    std::fs::write(&path, &whole).unwrap();
    assert!(shop.verify(id).await.passed, "it was nothing else");
}

/// A byte that was flipped before the hash was taken: the manifest says so, the encryption does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_wrong_from_the_start() {
    let shop = Shop::new().await;
    let mut manifest = shop.back_up().await.manifest;
    let name = format!("{}.dump.zst.age", shop.payments.name());
    let path = shop.file(&manifest.id, &name);
    let mut stored = std::fs::read(&path).unwrap();
    stored.truncate(stored.len() - 40);
    std::fs::write(&path, &stored).unwrap();
    let file = manifest.files.iter_mut().find(|file| file.name == name).unwrap();
    file.bytes = stored.len() as u64;
    file.sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&stored));
    shop.sign_again(&manifest.id, &manifest);
    let report = shop.verify(&manifest.id).await;
    assert!(["decrypt", "restore"].contains(&report.failure().unwrap().name.as_str()), "{:#?}", report.levels);
    assert!(report.failure().unwrap().detail.contains(&name), "{:#?}", report.levels);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_row_a_changed_value_and_a_missing_table() {
    let shop = Shop::new().await;
    let before = shop.back_up().await.manifest;
    let inventory = connect(&shop.inventory).await;

    for (change, why) in [
        ("DELETE FROM products WHERE id = 77", "table products has 499 rows and had 500"),
        (
            "INSERT INTO products SELECT * FROM lost; UPDATE products SET price = price + 1 WHERE id = 78",
            "not with the same values",
        ),
        ("UPDATE products SET price = price - 1 WHERE id = 78; DROP TABLE writes", "table writes is missing"),
    ] {
        let keep = "CREATE TEMP TABLE IF NOT EXISTS lost AS SELECT * FROM products WHERE id = 77";
        inventory.batch_execute(keep).await.unwrap();
        inventory.batch_execute(change).await.unwrap();
        // A dump that lacks something, under a manifest of what was there.
        let mut faulty = shop.back_up().await.manifest;
        faulty.databases = before.databases.clone();
        shop.sign_again(&faulty.id, &faulty);
        assert_fails(&shop.verify(&faulty.id).await, "contents", why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_definitions_and_sequences_that_stand_behind() {
    let shop = Shop::new().await;
    let before = shop.back_up().await.manifest;
    let payments = connect(&shop.payments).await;
    payments.batch_execute("DROP INDEX idx_orders_user").await.unwrap();
    let mut faulty = shop.back_up().await.manifest;
    faulty.databases = before.databases.clone();
    shop.sign_again(&faulty.id, &faulty);
    assert_fails(&shop.verify(&faulty.id).await, "schema", "index idx_orders_user is missing");

    payments.batch_execute("SELECT setval('orders_id_seq', 5)").await.unwrap();
    let behind = shop.back_up().await.manifest;
    assert_fails(&shop.verify(&behind.id).await, "schema", "sequence orders_id_seq stands behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_key_and_the_wrong_signer() {
    let shop = Shop::new().await;
    let id = shop.back_up().await.manifest.id;
    let wrong = shop.folder.path().join("wrong");
    generate_identity(&wrong).unwrap();
    assert!(generate_identity(&wrong).is_err(), "a key is never overwritten");

    let mut options = shop.verify_options();
    options.identity = Some(Identity::read(&wrong).unwrap());
    let report = Box::pin(verify(&shop.target, &id, &options, &silent)).await.unwrap();
    assert_fails(&report, "decrypt", "encrypted to other recipients");
    assert!(!report.recorded, "that says nothing of the set");

    let mut options = shop.verify_options();
    options.signer = SigningKey::read_or_make(&shop.folder.path().join("other-key")).unwrap().public();
    let report = Box::pin(verify(&shop.target, &id, &options, &silent)).await.unwrap();
    assert_fails(&report, "signature", "it is signed by");

    let manifest = shop.file(&id, "manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"rows\": 200", "\"rows\": 199")).unwrap();
    assert_fails(&shop.verify(&id).await, "signature", "one of the two was changed");
    assert!(list(&shop.target).await.unwrap()[0].verdict.is_none());
}

/// The dump is ended in its midst: what was stored by then is no backup, and nothing under its name is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_dump_never_looks_like_a_backup() {
    let shop = Shop::new().await;
    let payments = connect(&shop.payments).await;
    // Does not compress, so that much is still to come when the first piece has been stored.
    let bulk = "INSERT INTO events (at, body) SELECT '2026-02-10', to_jsonb(array(SELECT gen_random_uuid() FROM generate_series(1, 250)
                WHERE n > 0)) FROM generate_series(1, 8000) n";
    payments.batch_execute(bulk).await.unwrap();
    let (administrator, name) = (shop.payments.admin_config(), shop.payments.name().to_owned());
    let cut = Mutex::new(false);
    let progress = |event: BackupEvent<'_>| {
        let BackupEvent::FileBytes { name: file, bytes } = event else { return };
        let mut cut = cut.lock().unwrap();
        if *cut || bytes == 0 || !file.starts_with(&name) {
            return;
        }
        *cut = true;
        let administrator = administrator.clone();
        // While this waits nothing is taken from the dump, so it cannot end.
        let ending = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE datname = current_database() AND application_name = 'estore backup'";
                Connection::open(&administrator).await.unwrap().query(sql, &[]).await.unwrap().len()
            })
        });
        assert_eq!(ending.join().unwrap(), 1);
    };
    let error = create(&shop.sources(), &shop.target, &shop.options(), &progress).await.unwrap_err();
    assert!(matches!(&error, BackupError::Program { program, .. } if program == "pg_dump"), "{error}");
    let listed = list(&shop.target).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(!listed[0].is_backup() && listed[0].manifest.is_none());
    assert!(!shop.file(&listed[0].id, &format!("{name}.dump.zst.age")).exists());
    let missing = Box::pin(verify(&shop.target, "latest", &shop.verify_options(), &silent)).await.unwrap_err();
    assert!(matches!(missing, BackupError::NotFound { .. }), "{missing}");
}
