//! The seals of the audit under attack by a superuser: whatever is altered, dropped, added, reordered or cut off afterwards
//! does not fit, and is told by its range.

mod columns;
mod keys;
mod rules;
mod writers;

use std::sync::Arc;

use estore_kit::db::Db;
use estore_ops::audit::{Anchor, Audited, Extent, Head, Sealer, verify};
use estore_ops::backup::SigningKey;
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
