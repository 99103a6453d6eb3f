//! What is written down of changes of accounts: who, when and what, and no secret; and that nobody takes it back.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::desk::{Desk, PASSWORD};

const ADA: &str = "ada@example.com";
const ROOT: &str = "root@example.com";

/// What was written of a row: operation, before and after, oldest first.
async fn written(desk: &Desk, table: &str, key: &str) -> Vec<(String, Value, Value)> {
    let sql = "SELECT operation, coalesce(before, 'null'), coalesce(after, 'null') FROM audit_log
               WHERE table_name = $1 AND row_key = $2 ORDER BY id";
    let rows = desk.db.rows(sql, &[&table, &key]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_change_names_who_asked_and_what_became_of_each_column() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    desk.customer(ADA).await;
    let (ada, boss) = (desk.id_of(ADA).await, desk.id_of(ROOT).await);
    let body = json!({"is_active": false, "roles": ["staff"]}).to_string();
    let request = Request::patch(format!("/v1/users/{ada}"))
        .header(header::AUTHORIZATION, format!("Bearer {root}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-request-id", "the-request");
    desk.send(request.body(Body::from(body)).unwrap()).await.expect(200);

    let of_ada = written(&desk, "users", &ada.to_string()).await;
    let operations: Vec<&str> = of_ada.iter().map(|(operation, ..)| operation.as_str()).collect();
    assert_eq!(operations, ["insert", "update", "update"]);
    assert_eq!((&of_ada[1].1, &of_ada[1].2), (&json!({"is_verified": false}), &json!({"is_verified": true})));
    assert_eq!((&of_ada[2].1, &of_ada[2].2), (&json!({"is_active": true}), &json!({"is_active": false})));
    let role = written(&desk, "user_roles", &format!("{ada}/staff")).await;
    assert_eq!((role[0].0.as_str(), &role[0].2["granted_by"]), ("insert", &json!(boss)));
    let sql = "SELECT count(*) FROM audit_log WHERE user_id = $1 AND request_id = 'the-request'
               AND database_role = 'estore_users_writer' AND service LIKE 'estore%' AND created_at > now() - interval '1 hour'";
    let by_boss: i64 = desk.db.row(sql, &[&boss]).await.unwrap().unwrap().get(0);
    assert_eq!(by_boss, 2, "the account and its role");
    // Somebody who is nobody yet has a request all the same.
    let registered =
        "SELECT count(*) FROM audit_log WHERE operation = 'insert' AND user_id IS NULL AND request_id <> ''";
    assert_eq!(desk.number(registered).await, 1);
}

#[tokio::test]
async fn no_secret_and_no_address_is_written() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let change = json!({"password": "kartoffel-turm-10", "current_password": PASSWORD});
    desk.patch("/v1/users/me", &access, change).await.expect(200);
    let id = desk.id_of(ADA).await;
    let last = written(&desk, "users", &id.to_string()).await.pop().unwrap();
    assert_eq!((last.1, last.2), (json!({"hashed_password": "***"}), json!({"hashed_password": "***"})));
    let (access, _) = desk.log_in(ADA, "kartoffel-turm-10").await;
    let erase = json!({"current_password": "kartoffel-turm-10"});
    desk.call(axum::http::Method::DELETE, "/v1/users/me", Some(&access), Some(erase)).await.expect(204);
    let last = written(&desk, "users", &id.to_string()).await.pop().unwrap();
    assert_eq!(
        (&last.1["email"], &last.2["email"], &last.2["is_active"]),
        (&json!("***"), &json!("***"), &json!(false))
    );
    let shown = "SELECT count(*) FROM audit_log a WHERE a::text ~ 'argon2|example\\.com'";
    assert_eq!(desk.number(shown).await, 0);
}

#[tokio::test]
async fn nobody_writes_changes_or_removes_what_was_written() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (admin, connection) = desk.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let part: String =
        admin.query_one("SELECT tableoid::regclass::text FROM audit_log LIMIT 1", &[]).await.unwrap().get(0);
    let harms = |table: &str| {
        [
            format!("UPDATE {table} SET user_id = 1"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("INSERT INTO {table} (table_name, row_key, operation) VALUES ('users', '1', 'update')"),
        ]
    };
    for role in ["estore_users_writer", "estore_users_app", "estore_staff", "estore_readonly"] {
        admin.batch_execute(&format!("SET SESSION AUTHORIZATION {role}")).await.unwrap();
        for harm in harms("audit_log").iter().chain(&harms(&part)) {
            let refused = admin.batch_execute(harm).await.unwrap_err();
            assert!(
                refused.to_string().contains("permission denied") || format!("{refused:?}").contains("42501"),
                "{role}: {harm}: {refused:?}"
            );
        }
        admin.batch_execute("RESET SESSION AUTHORIZATION").await.unwrap();
    }
    // Whoever owns the tables is refused by their triggers, unless those are taken away, which the seals tell.
    let of_seals =
        ["UPDATE audit_seals SET row_count = 0", "DELETE FROM audit_seals", "TRUNCATE audit_seals"].map(str::to_owned);
    for harm in harms("audit_log").iter().take(3).chain(harms(&part).iter().take(3)).chain(&of_seals) {
        let refused = admin.batch_execute(harm).await.unwrap_err();
        assert!(format!("{refused:?}").contains("never changed or removed"), "{harm}: {refused:?}");
    }
}

#[tokio::test]
async fn a_table_that_is_emptied_at_once_is_written() {
    let desk = Desk::open().await;
    let (admin, connection) = desk.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for table in ["user_roles", "api_keys", "recovery_codes", "passkeys"] {
        admin.batch_execute(&format!("TRUNCATE {table}")).await.unwrap();
        assert_eq!(written(&desk, table, "*").await, [("truncate".to_owned(), Value::Null, Value::Null)], "{table}");
    }
}

#[tokio::test]
async fn who_only_reads_sees_it_as_an_administrator_alone() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (admin, connection) = desk.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    admin.batch_execute("SET ROLE estore_readonly").await.unwrap();
    let count = "SELECT count(*) FROM audit_log";
    assert_eq!(admin.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 0);
    admin.batch_execute("SELECT set_config('estore.role', 'admin', false)").await.unwrap();
    assert!(admin.query_one(count, &[]).await.unwrap().get::<_, i64>(0) > 0);
}

#[tokio::test]
async fn keys_and_second_factors_are_written_without_their_secrets() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let id = desk.id_of(ADA).await;
    for sql in [
        format!(
            "INSERT INTO api_keys (id, user_id, name, key_hash, hint, scopes, expires_at) VALUES (gen_random_uuid(), {id}, \
             'till', repeat('ab', 32), 'es_live_hint', '{{orders}}', now() + interval '1 day')"
        ),
        "UPDATE api_keys SET last_used_at = now()".to_owned(),
        "UPDATE api_keys SET revoked_at = now()".to_owned(),
        format!("INSERT INTO totp_factors (user_id, secret) VALUES ({id}, sha512('a shared secret'))"),
        "UPDATE totp_factors SET last_step = 7".to_owned(),
        format!("INSERT INTO recovery_codes (user_id, code) VALUES ({id}, repeat('cd', 32))"),
        "DELETE FROM recovery_codes".to_owned(),
        format!(
            "INSERT INTO passkeys (id, user_id, name, credential_id, public_key, user_handle, sign_count, is_backup_eligible, \
             is_backed_up) VALUES (gen_random_uuid(), {id}, 'till', sha256('c'), sha256('k'), sha256('h'), 0, true, false)"
        ),
        "UPDATE passkeys SET sign_count = 7, last_used_at = now(), is_backed_up = true".to_owned(),
        "UPDATE passkeys SET suspected_at = now()".to_owned(),
    ] {
        desk.run(&sql).await;
    }
    let rows = desk
        .db
        .rows("SELECT table_name || ' ' || operation FROM audit_log WHERE table_name <> 'users' ORDER BY id", &[]);
    let written: Vec<String> = rows.await.unwrap().iter().map(|row| row.get(0)).collect();
    let expected = [
        "api_keys insert",
        "api_keys update",
        "totp_factors insert",
        "recovery_codes insert",
        "recovery_codes delete",
        "passkeys insert",
        "passkeys update",
    ];
    assert_eq!(written, expected, "what is used is not changed");
    let secret =
        "SELECT count(*) FROM audit_log a WHERE a::text ~ '(ab){8}|(cd){8}|es_live_hint' OR after ->> 'secret' <> '***'
        OR '***' <> ANY (ARRAY[after ->> 'credential_id', after ->> 'public_key', after ->> 'user_handle'])";
    assert_eq!(desk.number(secret).await, 0);
}
