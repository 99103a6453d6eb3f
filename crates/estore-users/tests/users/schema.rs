//! The schema and the statements against it.

use std::path::Path;

use estore_testkit::cluster::TestCluster;
use estore_users::{CHECKS, MIGRATIONS};
use serde_json::json;

use crate::desk::{Desk, PASSWORD};

const SPECIFICATION: &str = "
-- db: users
CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    email VARCHAR(255) UNIQUE NOT NULL,
    hashed_password VARCHAR(255) NOT NULL,
    is_active BOOLEAN DEFAULT true,
    is_verified BOOLEAN DEFAULT false,
    is_admin BOOLEAN DEFAULT false,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX idx_users_email ON users(email);
CREATE TABLE verification_tokens (
    id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES users(id),
    token VARCHAR(255) UNIQUE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT fk_user FOREIGN KEY(user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX idx_verification_tokens_user ON verification_tokens(user_id);
CREATE INDEX idx_verification_tokens_token ON verification_tokens(token);
";

#[tokio::test]
async fn the_tables_are_the_specifications() {
    TestCluster::shared().await.assert_specified("users", MIGRATIONS, SPECIFICATION).await;
}

#[tokio::test]
async fn the_migrations_go_up_down_and_up_with_rows() {
    let rows = "INSERT INTO users (email, hashed_password) VALUES ('a@b.co', '!'), ('c@d.co', '$2b$10$x');
        INSERT INTO verification_tokens (user_id, token, expires_at)
        SELECT id, encode(sha256(email::bytea), 'hex'), now() + interval '1 day' FROM users";
    let more = "INSERT INTO user_roles (user_id, role) SELECT id, 'staff' FROM users;
        INSERT INTO mails (kind, recipient, subject, body) VALUES ('erased', 'a@b.co', 's', 'b')";
    let seeds = [(MIGRATIONS[0].version, rows), (MIGRATIONS[1].version, more)];
    TestCluster::shared().await.check_migrations("users", MIGRATIONS, &seeds).await;
}

#[tokio::test]
async fn every_statement_can_be_prepared_by_the_service() {
    let desk = Desk::open().await;
    let client = desk.db.client().await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let sql = std::fs::read_to_string(&path).unwrap();
        assert!(sql.starts_with("-- "), "{} begins with its purpose", path.display());
        if let Err(error) = client.prepare(&sql).await {
            panic!("{}: {error:?}", path.display());
        }
        seen += 1;
    }
    assert!(seen > 40);
}

#[tokio::test]
async fn every_check_holds_on_a_used_database_and_sees_its_violation() {
    let desk = Desk::open().await;
    desk.customer("a@b.co").await;
    desk.log_in("a@b.co", PASSWORD).await;
    desk.post("/v1/password-resets", json!({"email": "a@b.co"})).await.expect(202);
    desk.all_mail_left().await;
    let (admin, connection) = desk.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for check in CHECKS {
        assert!(admin.query(check.sql, &[]).await.unwrap().is_empty(), "{}", check.name);
    }
    let harm = "ALTER TABLE users DROP CONSTRAINT users_email_form;
        ALTER TABLE refresh_tokens DROP CONSTRAINT refresh_tokens_hashed;
        ALTER TABLE mails DROP CONSTRAINT mails_forgotten;
        DROP INDEX refresh_tokens_one_unused;
        CREATE TABLE addresses (user_id integer); GRANT DELETE ON sessions TO estore_readonly;
        ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only;
        INSERT INTO users (email, hashed_password) VALUES ('X@Y.co', '!');
        INSERT INTO user_roles (user_id, role) SELECT id, 'orders' FROM users WHERE email = 'X@Y.co';
        INSERT INTO users (id, email, hashed_password, is_active) VALUES (77, 'erased-77@invalid', '!', true);
        INSERT INTO refresh_tokens (token, session_id, expires_at) SELECT 'plain', id, expires_at FROM sessions;
        UPDATE users SET is_active = false WHERE email = 'a@b.co';
        UPDATE mails SET body = 'Token: x';
        INSERT INTO recovery_codes SELECT id, repeat('ab', 32) FROM users WHERE id <> 77;
        INSERT INTO passkeys (id, user_id, name, credential_id, public_key, user_handle, sign_count, is_backup_eligible,
            is_backed_up, last_used_at, suspected_at)
        SELECT gen_random_uuid(), id, 'k', sha256('c'), sha256('k'), sha256('h'), 7, false, false, now(), now() - interval '1 day'
        FROM users WHERE id = 77;
        INSERT INTO customer_imports VALUES (gen_random_uuid(), 1, 'q@q.co', '!', true, true, false);";
    admin.batch_execute(harm).await.unwrap();
    for check in CHECKS {
        assert!(!admin.query(check.sql, &[]).await.unwrap().is_empty(), "{} sees nothing", check.name);
    }
}

#[tokio::test]
async fn those_who_only_read_see_no_credentials_and_no_letters() {
    let desk = Desk::open().await;
    let (admin, connection) = desk.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    admin
        .batch_execute("SET ROLE estore_readonly; SELECT id, email FROM users; SELECT id, kind FROM mails")
        .await
        .unwrap();
    for sql in ["SELECT hashed_password FROM users", "SELECT body FROM mails", "DELETE FROM users"] {
        assert!(admin.batch_execute(sql).await.is_err(), "{sql}");
    }
}
