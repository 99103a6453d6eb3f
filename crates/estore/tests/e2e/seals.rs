//! The seals of the audit under attack by a superuser: whatever is altered, dropped, added, reordered or cut off afterwards
//! does not fit, and is told by its range.

use std::sync::Arc;

use estore_kit::db::Db;
use estore_ops::audit::{Anchor, Audited, Extent, Head, Rotation, RotationError, SealError, Sealer, verify};
use estore_ops::backup::{SignerKey, SigningKey};
use estore_ops::connection::Connection;
use estore_ops::roles::Service;
use estore_testkit::cluster::{TestCluster, TestDatabase};
use tempfile::TempDir;
use tokio_postgres::Transaction;

use crate::rights::migrations;

/// Rows of each book, all of them with even ids, so that there is room between them.
const FILL: [(Service, &str); 3] = [
    (Service::Users, "INSERT INTO users (email, hashed_password) SELECT n || '@x.example', '!' FROM generate_series(1, 700) n"),
    (
        Service::Inventory,
        "INSERT INTO categories (name) SELECT 'C' || n FROM generate_series(1, 700) n;
         INSERT INTO stock_movements (id, product_id, delta, kind, created_at) OVERRIDING SYSTEM VALUE
         SELECT n * 2, n % 7 + 1, n, 'adjustment', now() - interval '1 minute' FROM generate_series(1, 700) n;
         SELECT setval('stock_movements_id_seq', 1400)",
    ),
    (
        Service::Payments,
        "INSERT INTO order_events (id, order_id, checkout_id, user_id, type, status, created_at)
         SELECT n * 2, n, gen_random_uuid(), 7, 'order.paid', 'paid', now() - interval '1 minute' FROM generate_series(1, 700) n;
         SELECT setval('order_events_id_seq', 1400);
         INSERT INTO ledger_transactions (id, kind, checkout_id, currency, created_at)
         SELECT id, 'capture', id, 'USD', now() - n * interval '1 second' - interval '1 minute'
         FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(1, 700) n) made;
         INSERT INTO ledger_entries SELECT id, line, 'revenue', 7, 50 * sign FROM ledger_transactions,
             (VALUES (1::smallint, 1), (2::smallint, -1)) AS e (line, sign)",
    ),
];

/// A database with sealed rows.
struct Vault {
    service: Service,
    database: TestDatabase,
    admin: Connection,
    key: Arc<SigningKey>,
    sealer: Sealer,
    _folder: TempDir,
}

impl Vault {
    async fn empty(service: Service) -> Self {
        let database = TestCluster::shared().await.database(service.name(), migrations(service)).await;
        let admin = Connection::open(&database.admin_config()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = Arc::new(SigningKey::read_or_make(&folder.path().join("audit-key")).unwrap());
        let sealer = Sealer::new(service, Db::new(database.logins(), 2).unwrap(), Arc::clone(&key));
        Self { service, database, admin, key, sealer, _folder: folder }
    }

    /// With the rows of its books written and sealed.
    async fn filled(service: Service) -> Self {
        let mut vault = Self::empty(service).await;
        let (_, fill) = FILL.iter().find(|(of, _)| *of == service).unwrap();
        let sql = format!("BEGIN; SET LOCAL session_replication_role = replica; {fill}; COMMIT");
        // Triggers that write the audit are not for replicas alone.
        let sql = if service == Service::Payments { sql } else { fill.to_string() };
        vault.admin.batch_execute(&sql).await.unwrap();
        vault.seal().await;
        vault
    }

    /// Seals until nothing waits.
    async fn seal(&mut self) {
        for _ in 0..1_000 {
            let sealed = self.sealer.round().await.unwrap();
            if sealed.rows == 0 && !sealed.waits && !sealed.has_more {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("something is never sealed");
    }

    /// What a look finds, `harm` done.
    async fn after(&mut self, harm: &str, anchors: &[Anchor]) -> Audited {
        let (service, signer) = (self.service, self.key.public());
        let transaction = self.admin.transaction().await.unwrap();
        transaction.batch_execute("SET LOCAL session_replication_role = replica").await.unwrap();
        transaction.batch_execute(harm).await.unwrap_or_else(|error| panic!("{harm}: {error:?}"));
        look(&transaction, service, (&signer, anchors), Extent::Whole).await
    }
}

async fn look(
    moment: &Transaction<'_>,
    service: Service,
    who: (&estore_ops::backup::SignerKey, &[Anchor]),
    extent: Extent,
) -> Audited {
    verify(moment, service, who, extent, &|_, _| {}).await.unwrap()
}

/// What is done to the rows of a book, where a fault names it, and the first and last position that it must name.
fn harms(service: Service) -> Vec<(&'static str, &'static str, &'static str)> {
    match service {
        Service::Users => vec![
            ("UPDATE audit_log SET after = '{}' WHERE id = 300", "audit_log", "ids 257 to 512"),
            ("UPDATE audit_log SET user_id = 1 WHERE id = 300", "audit_log", "altered"),
            (
                "UPDATE audit_log SET created_at = created_at - interval '1 microsecond' WHERE id = 300",
                "audit_log",
                "altered",
            ),
            ("DELETE FROM audit_log WHERE id = 300", "audit_log", "1 of its 256 rows are gone"),
            (
                "UPDATE audit_log SET row_key = CASE id WHEN 300 THEN '301' ELSE '300' END WHERE id IN (300, 301)",
                "audit_log",
                "ids 257 to 512",
            ),
            ("TRUNCATE audit_log", "audit_log", "256 of its 256 rows are gone"),
        ],
        Service::Inventory => vec![
            ("UPDATE stock_movements SET delta = delta + 1 WHERE id = 600", "stock_movements", "ids 513 to 1024"),
            ("DELETE FROM stock_movements WHERE id = 600", "stock_movements", "1 of its 256 rows are gone"),
            (
                "INSERT INTO stock_movements (id, product_id, delta, kind) OVERRIDING SYSTEM VALUE VALUES (601, 1, 5, 'adjustment')",
                "stock_movements",
                "1 rows were put among its 256",
            ),
        ],
        Service::Payments => vec![
            ("UPDATE order_events SET amount = 99 WHERE id = 600", "order_events", "ids 513 to 1024"),
            ("DELETE FROM order_events WHERE id = 600", "order_events", "gone"),
            (
                "INSERT INTO order_events (id, order_id, checkout_id, user_id, type, status)
                 VALUES (601, 1, gen_random_uuid(), 7, 'order.paid', 'paid')",
                "order_events",
                "1 rows were put among its 256",
            ),
            (
                "UPDATE order_events SET id = 601 WHERE id = 600; UPDATE order_events SET id = 600 WHERE id = 602;
                 UPDATE order_events SET id = 602 WHERE id = 601",
                "order_events",
                "ids 513 to 1024",
            ),
            (
                "UPDATE ledger_transactions SET currency = 'EUR' WHERE id = (SELECT max(id::text)::uuid FROM ledger_transactions)",
                "ledger_transactions",
                "altered",
            ),
            (
                "UPDATE ledger_entries SET amount = amount * 2 WHERE transaction_id = (SELECT min(transaction_id::text)::uuid FROM ledger_entries)",
                "ledger_transactions",
                "altered",
            ),
            (
                "DELETE FROM ledger_entries WHERE transaction_id = (SELECT min(transaction_id::text)::uuid FROM ledger_entries)",
                "ledger_transactions",
                "altered",
            ),
            (
                "INSERT INTO ledger_transactions SELECT gen_random_uuid(), 'refund', checkout_id, currency, created_at
                 FROM ledger_transactions LIMIT 1",
                "ledger_transactions",
                "1 rows were put among its",
            ),
        ],
    }
}

#[tokio::test]
async fn rows_that_are_altered_dropped_added_or_reordered_are_found_by_their_range() {
    for service in Service::ALL {
        let mut vault = Vault::filled(service).await;
        let clean = vault.after("SELECT 1", &[]).await;
        assert_eq!(clean.faults, [], "{service}");
        assert!(clean.rows >= 700 && clean.waiting.iter().all(|waiting| waiting.rows == 0), "{clean:?}");
        for (harm, table, words) in harms(service) {
            let found = vault.after(harm, &[]).await;
            assert!(found.broken > 0, "{harm}: nothing is found");
            for fault in &found.faults {
                assert_eq!(fault.kind, "rows", "{harm}: {fault:?}");
                assert!(fault.what.starts_with(&format!("{table}: ")), "{harm}: {fault:?}");
            }
            assert!(found.faults[0].what.contains(words), "{harm}: {:?}", found.faults[0]);
        }
    }
}

#[tokio::test]
async fn seals_that_are_altered_dropped_or_forged_are_found() {
    let mut vault = Vault::filled(Service::Users).await;
    for (harm, kind, words) in [
        ("DELETE FROM audit_seals WHERE number = 2", "chain", "seals 2 to 2 are gone"),
        ("DELETE FROM audit_seals WHERE number = 1", "chain", "seals 1 to 1 are gone"),
        ("UPDATE audit_seals SET row_count = row_count - 1 WHERE number = 2", "chain", "seal 2 was altered"),
        (
            "UPDATE audit_seals SET sealed_at = sealed_at - interval '1 day' WHERE number = 2",
            "chain",
            "seal 2 was altered",
        ),
        ("UPDATE audit_seals SET signature = sha512('forged') WHERE number = 2", "signature", "seal 2 is not signed"),
        (
            // A row and the seal over it, as somebody without the key would have to do it.
            "UPDATE audit_log SET after = '{}' WHERE id = 300;
             UPDATE audit_seals SET digest = sha256('forged'), head = sha256('forged') WHERE number = 2",
            "chain",
            "seal 2 was altered",
        ),
    ] {
        let found = vault.after(harm, &[]).await;
        let told = found.faults.iter().any(|fault| fault.kind == kind && fault.what.contains(words));
        assert!(told, "{harm}: {:#?}", found.faults);
    }
}

#[tokio::test]
async fn a_chain_that_somebody_else_made_anew_is_not_believed() {
    let mut vault = Vault::filled(Service::Users).await;
    let own = vault.key.public();
    let folder = tempfile::tempdir().unwrap();
    let other = Arc::new(SigningKey::read_or_make(&folder.path().join("key")).unwrap());
    let anew = "BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM audit_seals;
                UPDATE audit_log SET user_id = 66; COMMIT";
    vault.admin.batch_execute(anew).await.unwrap();
    vault.sealer = Sealer::new(Service::Users, Db::new(vault.database.logins(), 1).unwrap(), other);
    vault.seal().await;
    let moment = vault.admin.transaction().await.unwrap();
    let found = look(&moment, Service::Users, (&own, &[]), Extent::Whole).await;
    assert!(found.broken > 0 && found.faults.iter().all(|fault| fault.kind == "signature"), "{found:#?}");
}

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
async fn a_tail_that_is_cut_is_known_by_what_was_noted_elsewhere() {
    let mut vault = Vault::filled(Service::Users).await;
    let head = vault.after("SELECT 1", &[]).await.head.unwrap();
    let anchor = |head: Head| Anchor { service: Service::Users, noted_by: "the backup x".to_owned(), head };
    let anchors = [anchor(head.clone())];
    assert_eq!(vault.after("SELECT 1", &anchors).await.faults, []);
    let cut = format!(
        "DELETE FROM audit_log WHERE id > (SELECT after_position FROM audit_seals WHERE number = {0});
         DELETE FROM audit_seals WHERE number = {0}",
        head.number
    );
    assert_eq!(vault.after(&cut, &[]).await.faults, [], "nothing in the database tells");
    let found = vault.after(&cut, &anchors).await;
    assert!(found.faults[0].what.contains("which the backup x noted, is gone"), "{found:?}");
    let all = "DELETE FROM audit_log; DELETE FROM audit_seals";
    assert_eq!(vault.after(all, &anchors).await.faults[0].kind, "anchor");
    let other = [anchor(Head { number: head.number, head: "ab".repeat(32) })];
    assert!(vault.after("SELECT 1", &other).await.faults[0].what.contains("is not the one"));
}

#[tokio::test]
async fn a_look_at_the_newest_seals_finds_what_is_wrong_with_those() {
    let mut vault = Vault::filled(Service::Users).await;
    let (signer, last) = (vault.key.public(), vault.after("SELECT 1", &[]).await.head.unwrap().number);
    let moment = vault.admin.transaction().await.unwrap();
    let harm = "SET LOCAL session_replication_role = replica; DELETE FROM audit_log WHERE id = 1";
    moment.batch_execute(harm).await.unwrap();
    let newest = look(&moment, Service::Users, (&signer, &[]), Extent::Newest(1)).await;
    assert_eq!((newest.seals, newest.broken), (1, 0), "{newest:?}");
    let more = look(&moment, Service::Users, (&signer, &[]), Extent::Newest(last)).await;
    assert_eq!(more.broken, 1, "{more:?}");
}

#[tokio::test]
async fn what_is_committed_out_of_order_is_sealed_when_all_have_ended() {
    let mut vault = Vault::empty(Service::Users).await;
    vault.seal().await;
    let mut slow = Connection::open(&vault.database.config_as("estore_users_writer")).await.unwrap();
    let quick = Connection::open(&vault.database.config_as("estore_users_writer")).await.unwrap();
    let add = |name: &str| format!("INSERT INTO users (email, hashed_password) VALUES ('{name}@x.example', '!')");
    let open = slow.transaction().await.unwrap();
    open.batch_execute(&add("slow")).await.unwrap();
    quick.batch_execute(&add("quick")).await.unwrap();
    for _ in 0..3 {
        let sealed = vault.sealer.round().await.unwrap();
        assert!(sealed.waits && sealed.rows == 0, "{sealed:?}");
    }
    // What begins later is not waited for.
    let later = Connection::open(&vault.database.config_as("estore_users_writer")).await.unwrap();
    later.batch_execute(&format!("BEGIN; {}", add("later"))).await.unwrap();
    open.commit().await.unwrap();
    let mut rows = 0;
    for _ in 0..1_000 {
        rows += vault.sealer.round().await.unwrap().rows;
        if rows > 0 {
            break;
        }
    }
    assert_eq!(rows, 2);
    later.batch_execute("COMMIT").await.unwrap();
    vault.seal().await;
    let found = vault.after("SELECT 1", &[]).await;
    assert_eq!((found.rows, found.broken), (3, 0), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_sealers_beside_busy_writers_make_one_chain() {
    let mut vault = Vault::empty(Service::Users).await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let config = vault.database.config_as("estore_users_writer");
        tasks.spawn(async move {
            let client = Connection::open(&config).await.unwrap();
            for n in 0..60 {
                let end = if n % 5 == 0 { "ROLLBACK" } else { "COMMIT" };
                let sql = format!(
                    "BEGIN; INSERT INTO users (email, hashed_password) VALUES ('{writer}-{n}@x.example', '!'); {end}"
                );
                client.batch_execute(&sql).await.unwrap();
            }
        });
    }
    for _ in 0..3 {
        let db = Db::new(vault.database.logins(), 1).unwrap();
        let mut sealer = Sealer::new(Service::Users, db, Arc::clone(&vault.key));
        tasks.spawn(async move {
            for _ in 0..40 {
                // One whose seal came second is refused, and seals what is left the next time.
                drop(sealer.round().await);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    vault.seal().await;
    let found = vault.after("SELECT 1", &[]).await;
    assert_eq!((found.rows, found.broken), (192, 0), "{found:?}");
}

#[tokio::test]
async fn changes_of_policies_rights_and_triggers_are_written_and_sealed() {
    let mut vault = Vault::empty(Service::Users).await;
    vault.sealer.note_rules().await.unwrap();
    let written =
        "SELECT coalesce(before, '{}')::text, after::text FROM audit_log WHERE operation = 'rules' ORDER BY id";
    assert_eq!(vault.admin.query(written, &[]).await.unwrap().len(), 1, "how they stood");
    vault.sealer.note_rules().await.unwrap();
    assert_eq!(vault.admin.query(written, &[]).await.unwrap().len(), 1, "nothing has changed");
    let harm = "DROP POLICY own ON users; GRANT SELECT ON mails TO estore_users_app; ALTER TABLE users DISABLE TRIGGER audit_update";
    vault.admin.batch_execute(harm).await.unwrap();
    vault.sealer.note_rules().await.unwrap();
    let rows = vault.admin.query(written, &[]).await.unwrap();
    let (before, after): (String, String) = (rows[1].get(0), rows[1].get(1));
    for (text, words) in [
        (&before, "\"policy users.own\": \"r to estore_readonly,estore_users_app"),
        (&after, "\"policy users.own\": null"),
        (&after, "estore_users_app=r/"),
        (&after, "\"trigger users.audit_update\": \"D "),
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    vault.seal().await;
    let found = vault.after("UPDATE audit_log SET after = before WHERE operation = 'rules'", &[]).await;
    assert_eq!(found.broken, 1);
}
