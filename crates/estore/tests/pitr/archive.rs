//! The archive is closed to others, is one shop's alone, and is told of when it fails.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use estore_ops::pitr::archive_status;
use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use serde_json::Value;

use crate::setup::{Archived, ESTORE, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_is_closed_to_others_and_is_one_shops_alone() {
    let archived = Archived::start().await;
    let configuration = archived.shop.address.data_dir.join("postgres/archive/pgbackrest.conf");
    for secret in [&configuration, Path::new(&archived.passphrase())] {
        let mode = std::fs::metadata(secret).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", secret.display());
    }
    let mut segments = 0;
    let mut folders = vec![Path::new(&archived.path("archive")).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "zst") {
                segments += 1;
                assert!(std::fs::read(&path).unwrap().starts_with(b"Salted__"), "{} is readable", path.display());
            }
        }
    }
    assert!(segments > 100, "{segments} files were looked at");

    let wrong = archived.path("wrong-passphrase");
    std::fs::write(&wrong, "not-the-passphrase\n").unwrap();
    let (ok, said) = archived.restore_with("latest", "new", (&archived.path("archive"), &wrong));
    assert!(!ok && said.contains("pgBackRest cannot tell what it keeps"), "{said}");
    assert!(!Path::new(&archived.path("new")).exists());

    let other = Archived::not_yet().await;
    let words = ["backup", "pitr", "setup", "--repository", &archived.path("archive")];
    let (ok, _, said) = other.shop.try_estore(&words, "");
    assert!(!ok && said.contains("the history of another server"), "{said}");
    let (ok, _, said) = other.shop.try_estore(&["backup", "pitr", "info"], "");
    assert!(!ok && said.contains("estore backup pitr setup"), "{said}");
    archived.set_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_fails_is_told_and_the_shop_sells_on() {
    let archived = Archived::start().await;
    let doctor = |wanted: bool| {
        let (_, out, _) = archived.shop.try_estore(&["doctor", "--json"], "");
        let told: Value = serde_json::from_str(&out).unwrap();
        let findings = told["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["what"] == "archive of the log").unwrap().clone();
        (finding["ok"].as_bool() == Some(wanted)).then_some(finding)
    };
    assert!(doctor(true).is_some());
    let archive = Path::new(&archived.path("archive")).join("archive");
    let aside = archive.with_extension("aside");
    // As a disk that is gone, or full: nothing can be written there.
    std::fs::rename(&archive, &aside).unwrap();
    std::fs::write(&archive, "").unwrap();
    let payments = archived.shop.database(Service::Payments).await;
    let (admin, buyer) = (Client::admin(&archived.shop).await, Client::customer(&archived.shop).await);
    let (product, card) = (admin.product(700, 50).await, buyer.card(CARD_APPROVED).await);
    let _sold = buyer.order("while-it-fails", product, 1, card).await.expect(201);
    payments.query("SELECT pg_switch_wal()", &[]).await.unwrap();
    let finding = wait_for("a finding of the doctor", async || doctor(false)).await;
    println!("{finding}");
    assert!(finding["told"].as_str().unwrap().contains("could not be sent"));
    let _sold = buyer.order("while-it-still-fails", product, 1, card).await.expect(201);

    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&aside, &archive).unwrap();
    wait_for("an archive that works again", async || doctor(true)).await;
    let status = archive_status(&payments).await.unwrap();
    assert_eq!((status.waiting, status.is_failing()), (0, false), "nothing of it is lost: {status:?}");
}

#[test]
fn on_a_postgresql_of_ones_own_the_commands_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(ESTORE);
    for service in ["USERS", "INVENTORY", "PAYMENTS"] {
        command.env(format!("ESTORE_DATABASES__{service}__URL"), "postgresql://app@db.example/estore");
    }
    command.args(["backup", "pitr", "setup", "--repository", "/srv/archive", "--data-dir"]).arg(folder.path());
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}");
    for line in ["repo1-path=/srv/archive", "archive_mode = on", "stanza-create", "needs a restart"] {
        assert!(out.contains(line), "{out}");
    }
}
