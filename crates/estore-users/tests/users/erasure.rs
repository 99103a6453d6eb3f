//! What is left of somebody who has gone, table by table.

use axum::http::Method;
use serde_json::json;

use crate::desk::{Desk, PASSWORD};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// Something of an account in each table that names accounts; `sessions` have theirs by a log-in.
const BELONGINGS: [&str; 8] = [
    "INSERT INTO user_roles (user_id, role) VALUES ({id}, 'orders')",
    "INSERT INTO verification_tokens (user_id, token, expires_at) \
     VALUES ({id}, encode(sha256('v{id}'), 'hex'), now() + interval '1 day')",
    "INSERT INTO password_reset_tokens (user_id, token, expires_at) \
     VALUES ({id}, encode(sha256('r{id}'), 'hex'), now() + interval '1 day')",
    "INSERT INTO email_changes (user_id, token, new_email, expires_at) \
     VALUES ({id}, encode(sha256('e{id}'), 'hex'), 'moved-{id}@example.com', now() + interval '1 day')",
    "INSERT INTO api_keys (id, user_id, name, key_hash, hint, scopes, expires_at) VALUES (gen_random_uuid(), {id}, 'till', \
     encode(sha256('k{id}'), 'hex'), 'es_live_hint', '{orders}', now() + interval '1 day')",
    "INSERT INTO totp_factors (user_id, secret) VALUES ({id}, sha512('{id}'))",
    "INSERT INTO recovery_codes (user_id, code) VALUES ({id}, encode(sha256('c{id}'), 'hex'))",
    "INSERT INTO passkeys (id, user_id, name, credential_id, public_key, user_handle, sign_count, is_backup_eligible, \
     is_backed_up) VALUES (gen_random_uuid(), {id}, 'till', sha256('i{id}'), sha256('p{id}'), sha256('h{id}'), 0, false, false)",
];

async fn names(desk: &Desk, sql: &str) -> Vec<String> {
    desk.db.rows(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The tables that name accounts. What was written down of changes stays, without what is personal.
async fn tables(desk: &Desk) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'user_id' \
               WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition \
               AND relname <> 'audit_log' ORDER BY 1";
    names(desk, sql).await
}

/// In which of the tables something of the account is.
async fn holding(desk: &Desk, tables: &[String], id: i32) -> Vec<String> {
    let mut found = Vec::new();
    for table in tables {
        if desk.number(&format!("SELECT count(*) FROM {table} WHERE user_id = {id}")).await > 0 {
            found.push(table.clone());
        }
    }
    found
}

#[tokio::test]
async fn an_erased_account_leaves_nothing_in_any_table_and_nobody_elses_is_touched() {
    let desk = Desk::open().await;
    for email in [ADA, BOB] {
        desk.customer(email).await;
    }
    let (ada, bob) = (desk.id_of(ADA).await, desk.id_of(BOB).await);
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let (bobs, _) = desk.log_in(BOB, PASSWORD).await;
    desk.run("UPDATE users SET is_admin = true").await;
    for (id, sql) in [ada, bob].iter().flat_map(|id| BELONGINGS.map(|sql| (id, sql))) {
        desk.run(&sql.replace("{id}", &id.to_string())).await;
    }
    let tables = tables(&desk).await;
    assert_eq!(holding(&desk, &tables, ada).await, tables, "a table is not tried: give it a row above");
    let export = desk.get("/v1/users/me/export", &access).await.expect(200).json();
    let parts = ["sessions", "passkeys", "orders"].map(|part| export[part].as_array().map_or(0, Vec::len));
    assert_eq!((parts, &export["user"]["roles"]), ([1, 1, 1], &json!(["orders", "admin"])), "{export}");

    let body = json!({"current_password": PASSWORD});
    desk.call(Method::DELETE, "/v1/users/me", Some(&access), Some(body)).await.expect(204);
    assert_eq!(holding(&desk, &tables, ada).await, Vec::<String>::new());
    assert_eq!(holding(&desk, &tables, bob).await, tables);
    desk.get("/v1/users/me", &bobs).await.expect(200);
    let gone = format!(
        "SELECT count(*) FROM users WHERE id = {ada} AND email = 'erased-{ada}@invalid' AND hashed_password = '!' \
         AND NOT (is_active OR is_verified OR is_admin)"
    );
    assert_eq!(desk.number(&gone).await, 1);

    // Neither her address nor the one that she was to have is anywhere, but on letters, which go by themselves.
    desk.all_mail_left().await;
    let every = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
                 AND NOT relispartition AND relname NOT IN ('mails', 'estore_migrations')";
    for table in names(&desk, every).await {
        let holds = format!("SELECT count(*) FROM {table} t WHERE t::text LIKE ANY ('{{%{ADA}%,%moved-{ada}@%}}')");
        assert_eq!(desk.number(&holds).await, 0, "{table}");
    }
}

#[tokio::test]
async fn what_is_left_of_an_erased_account_is_found() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let id = desk.id_of(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let body = json!({"current_password": PASSWORD});
    desk.call(Method::DELETE, "/v1/users/me", Some(&access), Some(body)).await.expect(204);
    let check = estore_users::CHECKS.iter().find(|check| check.name == "erased_accounts_hold_nothing").unwrap();
    assert_eq!(names(&desk, check.sql).await, Vec::<String>::new());
    let session =
        "INSERT INTO sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), {id}, now() + interval '1 day')";
    for left in BELONGINGS.iter().chain([&session, &"UPDATE users SET is_admin = true WHERE id = {id}"]) {
        // A recovery code is of a second factor, which would be found for itself.
        if left.contains("recovery_codes") {
            continue;
        }
        desk.run(&left.replace("{id}", &id.to_string())).await;
        assert_eq!(names(&desk, check.sql).await.len(), 1, "{left}");
        for table in tables(&desk).await {
            desk.run(&format!("DELETE FROM {table}")).await;
        }
    }
}
