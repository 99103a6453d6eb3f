//! What is written while it is sealed makes one chain, and changed rules are in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use estore_kit::db::Db;
use estore_ops::audit::Sealer;
use estore_ops::connection::Connection;
use estore_ops::roles::Service;

use super::Vault;

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

/// How urgent each session of this database is that is not the test's own; none where Linux has no such groups.
async fn niceness(vault: &Vault) -> Vec<String> {
    let others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let rows = vault.admin.query(others, &[]).await.unwrap();
    let groups = rows.iter().map(|row| format!("/proc/{}/autogroup", row.get::<_, i32>(0)));
    let texts = groups.filter_map(|group| std::fs::read_to_string(group).ok());
    texts.filter_map(|text| Some(text.trim_end().rsplit_once(" nice ")?.1.to_owned())).collect()
}

#[tokio::test]
async fn the_session_that_seals_is_less_urgent_than_others() {
    let mut vault = Vault::filled(Service::Users).await;
    let begun = Instant::now();
    loop {
        let found = niceness(&vault).await;
        if found.is_empty() {
            eprintln!("This system does not share time among sessions: nothing is looked at.");
            return;
        }
        if found == ["10"] {
            return;
        }
        // The kernel may take no change now; the next round tries again.
        assert!(begun.elapsed() < Duration::from_secs(60), "it stays at {found:?}");
        tokio::time::sleep(Duration::from_millis(150)).await;
        vault.sealer.round().await.unwrap();
    }
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
