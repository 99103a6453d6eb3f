//! Keys of seals: none goes on behind a key that is not its own, and one that changed hands is followed.

use std::sync::Arc;

use estore_kit::db::Db;
use estore_ops::audit::{Extent, Rotation, RotationError, SealError, Sealer};
use estore_ops::backup::{SignerKey, SigningKey};
use estore_ops::roles::Service;
use tempfile::TempDir;

use super::{Vault, look};

/// A key that is no vault's yet.
fn other_key(folder: &TempDir) -> Arc<SigningKey> {
    Arc::new(SigningKey::read_or_make(&folder.path().join("other-key")).unwrap())
}

/// Why a sealer does not seal, once nobody is waited for.
async fn refusal(sealer: &mut Sealer) -> SealError {
    loop {
        match sealer.round().await {
            Ok(sealed) => assert!(sealed.waits, "{sealed:?}"),
            Err(error) => return error,
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_sealer_does_not_go_on_behind_a_key_that_is_not_its_own() {
    let mut vault = Vault::filled(Service::Users).await;
    let folder = tempfile::tempdir().unwrap();
    let last = vault.after("SELECT 1", &[]).await.head.unwrap();
    let mut stranger = Sealer::new(Service::Users, Db::new(vault.database.logins(), 1).unwrap(), other_key(&folder));
    vault.admin.batch_execute("INSERT INTO users (email, hashed_password) VALUES ('n@x.example', '!')").await.unwrap();
    let refused = refusal(&mut stranger).await;
    assert!(matches!(refused, SealError::OtherKey { number, .. } if number == last.number), "{refused}");
    assert_eq!(vault.after("SELECT 1", &[]).await.head, Some(last), "nothing was sealed");
    vault.seal().await;
    assert_eq!(vault.after("SELECT 1", &[]).await.faults, []);
}

#[tokio::test]
async fn a_key_that_was_handed_over_is_followed_by_whom_trusts_either() {
    let mut vault = Vault::filled(Service::Users).await;
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Arc::clone(&vault.key), other_key(&folder));
    let rotation = Rotation::HandedOver(&old);
    assert!(rotation.apply(&mut vault.admin, Service::Users, &new).await.unwrap());
    assert!(!rotation.apply(&mut vault.admin, Service::Users, &new).await.unwrap(), "once is enough");
    let add = "INSERT INTO users (email, hashed_password) VALUES ('after@x.example', '!')";
    vault.admin.batch_execute(add).await.unwrap();
    let ended = refusal(&mut vault.sealer).await;
    assert!(matches!(ended, SealError::OtherKey { .. }), "the old key has ended: {ended}");
    vault.sealer.sign_with(Arc::clone(&new));
    vault.seal().await;
    let third = SigningKey::read_or_make(&folder.path().join("third")).unwrap();
    let wrong = Rotation::HandedOver(&old).apply(&mut vault.admin, Service::Users, &third).await.unwrap_err();
    assert!(matches!(wrong, RotationError::NotTheirs { .. }), "{wrong}");

    let faults = async |vault: &mut Vault, harm: &str, signer: &SignerKey, extent| {
        let moment = vault.admin.transaction().await.unwrap();
        moment.batch_execute("SET LOCAL session_replication_role = replica").await.unwrap();
        moment.batch_execute(harm).await.unwrap();
        look(&moment, Service::Users, (signer, &[]), extent).await.faults
    };
    for trusted in [old.public(), new.public()] {
        for extent in [Extent::Whole, Extent::Newest(1), Extent::Newest(2), Extent::Newest(4)] {
            assert_eq!(faults(&mut vault, "SELECT 1", &trusted, extent).await, [], "{extent:?}");
        }
        for harm in [
            "UPDATE audit_log SET user_id = 66 WHERE id = 300",
            "UPDATE audit_seals SET digest = sha256('mine') WHERE table_name = 'next_key'",
            "UPDATE audit_seals SET digest = sha256('mine') WHERE table_name = 'last_key'",
            "DELETE FROM audit_seals WHERE table_name = 'next_key'",
            "DELETE FROM audit_seals WHERE table_name = 'last_key'",
        ] {
            assert_ne!(faults(&mut vault, harm, &trusted, Extent::Whole).await, [], "{harm}");
        }
    }
    assert_ne!(faults(&mut vault, "SELECT 1", &third.public(), Extent::Whole).await, []);
}

#[tokio::test]
async fn a_lost_key_is_followed_by_whom_trusts_the_new_one_alone() {
    let mut vault = Vault::filled(Service::Users).await;
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (vault.key.public(), other_key(&folder));
    let stranger = new.public();
    let wrong = Rotation::Lost(&stranger).apply(&mut vault.admin, Service::Users, &vault.key).await;
    assert!(matches!(wrong, Ok(false)), "the key that seals needs no rotation: {wrong:?}");
    assert!(Rotation::Lost(&old).apply(&mut vault.admin, Service::Users, &new).await.unwrap());
    vault.sealer.sign_with(Arc::clone(&new));
    vault.seal().await;
    let moment = vault.admin.transaction().await.unwrap();
    let by_new = look(&moment, Service::Users, (&new.public(), &[]), Extent::Whole).await;
    assert_eq!(by_new.faults, []);
    let by_old = look(&moment, Service::Users, (&old, &[]), Extent::Whole).await;
    assert!(by_old.faults.iter().any(|fault| fault.kind == "signature"), "{by_old:?}");
}

#[tokio::test]
async fn a_key_that_nobody_named_hands_over_to_none() {
    let mut vault = Vault::filled(Service::Users).await;
    let folder = tempfile::tempdir().unwrap();
    let (old, own) = (vault.key.public(), other_key(&folder));
    let next = Arc::new(SigningKey::read_or_make(&folder.path().join("next")).unwrap());
    assert!(Rotation::Lost(&old).apply(&mut vault.admin, Service::Users, &own).await.unwrap());
    assert!(Rotation::HandedOver(&own).apply(&mut vault.admin, Service::Users, &next).await.unwrap());
    vault.sealer.sign_with(Arc::clone(&next));
    vault.seal().await;
    let moment = vault.admin.transaction().await.unwrap();
    let by_next = look(&moment, Service::Users, (&next.public(), &[]), Extent::Whole).await;
    assert_eq!(by_next.faults, []);
    let by_old = look(&moment, Service::Users, (&old, &[]), Extent::Whole).await;
    let told = |fault: &estore_ops::audit::Fault| fault.what.contains("to which the one before it did not hand over");
    assert!(by_old.faults.iter().any(told), "{by_old:?}");
}
