//! Whatever is changed of who may do what is written down, with what it is now.

use estore_ops::roles::Service;

use super::Vault;

const NOTE_RULES: &str = include_str!("../../../../estore-ops/queries/audit/note_rules.sql");

/// What somebody does who may do everything, the name under which it is written, and a part of how it is now.
const HARMS: [(&str, &str, &str); 11] = [
    ("ALTER POLICY own ON users USING (true)", "policy users.own", "using true"),
    ("ALTER TABLE users OWNER TO estore_backup", "table users", "owner estore_backup"),
    ("ALTER TABLE sessions DISABLE ROW LEVEL SECURITY", "table sessions", "row security f"),
    ("ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY", "table sessions", "forced f"),
    ("GRANT INSERT ON audit_log TO estore_users_writer", "table audit_log", "estore_users_writer=ar/"),
    ("GRANT SELECT (hashed_password) ON users TO estore_staff", "column users.hashed_password", "estore_staff=r/"),
    ("ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only", "trigger audit_log.audit_log_append_only", "D "),
    (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "function refuse_change()",
        "text 4c5d2f8b5697695335a4a11653d5decb",
    ),
    ("ALTER ROLE estore_readonly SUPERUSER", "role estore_readonly", "superuser t"),
    ("ALTER ROLE estore_readonly BYPASSRLS", "role estore_readonly", "bypasses row security t"),
    ("GRANT estore_users_owner TO estore_readonly", "role estore_readonly", "member of estore_users_owner"),
];

#[tokio::test]
async fn whatever_is_changed_of_policies_rights_functions_and_roles_is_written() {
    let mut vault = Vault::empty(Service::Users).await;
    vault.sealer.note_rules().await.unwrap();
    for (harm, name, words) in HARMS {
        let moment = vault.admin.transaction().await.unwrap();
        moment.batch_execute(harm).await.unwrap_or_else(|error| panic!("{harm}: {error:?}"));
        moment.execute(NOTE_RULES, &[]).await.unwrap();
        // The first is how they stood.
        let written =
            "SELECT coalesce((SELECT after ->> $1 FROM audit_log WHERE operation = 'rules' ORDER BY id OFFSET 1), '')";
        let is_now: String = moment.query_one(written, &[&name]).await.unwrap().get(0);
        assert!(is_now.contains(words), "{harm}: {name}: {is_now}");
    }
}
