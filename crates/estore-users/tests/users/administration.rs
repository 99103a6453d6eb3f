//! Accounts in an administrator's hands.

use axum::body::Body;
use axum::http::{Method, Request, header};
use estore_users::Role;
use serde_json::{Value, json};

use crate::desk::{Desk, PASSWORD};

const ADA: &str = "ada@example.com";
const ROOT: &str = "root@example.com";

#[tokio::test]
async fn only_administrators_see_accounts() {
    let desk = Desk::open().await;
    desk.customer(ADA).await;
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    assert_eq!(desk.get("/v1/users", &access).await.expect(403).code(), "role_required");
    desk.get("/v1/users/1", &access).await.expect(403);
    desk.patch("/v1/users/1", &access, json!({"roles": ["admin"]})).await.expect(403);
    desk.call(Method::GET, "/v1/users", None, None).await.expect(401);
}

#[tokio::test]
async fn accounts_are_listed_searched_and_paged() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    desk.run("INSERT INTO users (email, hashed_password) SELECT 'c' || n || '_x@shop.example', '!' FROM generate_series(1, 25) AS n").await;
    let first = desk.get("/v1/users?q=SHOP.&limit=20", &root).await.expect(200).json();
    assert_eq!(first["data"].as_array().unwrap().len(), 20);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = desk.get(&format!("/v1/users?q=SHOP.&limit=20&cursor={cursor}"), &root).await.expect(200).json();
    assert_eq!((last["data"].as_array().unwrap().len(), last["next_cursor"].is_null()), (5, true));
    for (query, count) in
        [("q=%25", 0), ("q=c1_x", 1), ("q=c_x", 0), ("is_active=false", 0), ("limit=100", 26), ("q=", 20)]
    {
        let page = desk.get(&format!("/v1/users?{query}"), &root).await.expect(200).json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
    }
    for query in ["limit=0", "limit=101", "cursor=x", "colour=red", "is_active=maybe", "q=%00"] {
        desk.get(&format!("/v1/users?{query}"), &root).await.expect(400);
    }
    desk.get("/v1/users/999999", &root).await.expect(404);
    desk.get("/v1/users/x", &root).await.expect(400);
}

#[tokio::test]
async fn a_deactivated_account_is_logged_out_and_can_be_opened_again() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    desk.customer(ADA).await;
    let (_, refresh) = desk.log_in(ADA, PASSWORD).await;
    let path = format!("/v1/users/{}", desk.id_of(ADA).await);
    desk.patch(&path, &root, json!({"is_active": false})).await.expect(200);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    desk.post("/v1/tokens", json!({"email": ADA, "password": PASSWORD})).await.expect(401);
    desk.patch(&path, &root, json!({"is_active": true, "roles": ["staff"]})).await.expect(200);
    desk.log_in(ADA, PASSWORD).await;
    let user = desk.get(&path, &root).await.expect(200).json();
    assert_eq!(user["roles"], json!(["staff"]));
    desk.patch(&path, &root, json!({"roles": ["owner"]})).await.expect(422);
}

#[tokio::test]
async fn who_manages_accounts_manages_those_of_customers_alone() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    for email in [ADA, "clerk@example.com", "helper@example.com"] {
        desk.customer(email).await;
    }
    let path = async |email| format!("/v1/users/{}", desk.id_of(email).await);
    let (ada, clerk, helper) = (path(ADA).await, path("clerk@example.com").await, path("helper@example.com").await);
    for role in ["staff", "catalogue", "orders", "refunds", "operations", "users"] {
        desk.patch(&clerk, &root, json!({"roles": [role]})).await.expect(200);
        let (access, _) = desk.log_in("clerk@example.com", PASSWORD).await;
        let answer = desk.get("/v1/users", &access).await;
        let may = role == "users";
        assert_eq!((answer.status == 200, answer.code() == "role_required"), (may, !may), "{role}: {}", answer.text);
    }
    let (access, refresh) = desk.log_in("clerk@example.com", PASSWORD).await;
    desk.get(&ada, &access).await.expect(200);
    desk.patch(&ada, &access, json!({"is_active": false})).await.expect(200);
    desk.patch(&ada, &access, json!({"is_active": true})).await.expect(200);
    // Neither themselves nor others get any further by it.
    desk.patch(&helper, &root, json!({"roles": ["orders"]})).await.expect(200);
    for (path, change) in [
        (&ada, json!({"roles": ["orders"]})),
        (&clerk, json!({"roles": ["users", "admin"]})),
        (&clerk, json!({"is_active": true})),
        (&helper, json!({"is_active": false})),
        (&format!("/v1/users/{}", desk.id_of(ROOT).await), json!({"is_active": false})),
    ] {
        assert_eq!(desk.patch(path, &access, change).await.expect(403).code(), "role_required");
    }
    // What a token says is asked anew before anything is changed.
    desk.run("DELETE FROM user_roles WHERE role = 'users'").await;
    assert_eq!(desk.patch(&ada, &access, json!({"is_active": false})).await.expect(403).code(), "role_required");
    desk.run("INSERT INTO user_roles (user_id, role) SELECT id, 'users' FROM users WHERE email LIKE 'clerk%'").await;
    // Whoever loses a role loses what their tokens say.
    let roles = desk.users.grant_roles("clerk@example.com", &[Role::Orders], &[Role::Users]).await.unwrap();
    assert_eq!(roles, ["orders"]);
    desk.post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(401);
    desk.run("UPDATE sessions SET ended_at = NULL, end_reason = NULL").await;
    let late = desk.patch(&ada, &access, json!({"is_active": false})).await;
    assert!(matches!(late.status.as_u16(), 401 | 403), "{}", late.text);
}

#[tokio::test]
async fn roles_are_given_and_taken_from_the_command_line() {
    let desk = Desk::open().await;
    desk.admin(ROOT).await;
    desk.customer(ADA).await;
    let grant =
        async |granted: &[Role], revoked: &[Role]| desk.users.grant_roles("Ada@Example.com", granted, revoked).await;
    assert_eq!(grant(&[Role::Staff, Role::Catalogue], &[]).await.unwrap(), ["catalogue", "staff"]);
    assert_eq!(grant(&[Role::Staff, Role::Admin], &[Role::Catalogue]).await.unwrap(), ["staff", "admin"]);
    let root = desk.users.grant_roles(ROOT, &[], &[Role::Admin]).await.unwrap();
    assert!(root.is_empty());
    assert!(grant(&[], &[Role::Admin]).await.unwrap_err().to_string().contains("last active administrator"));
    assert!(desk.users.grant_roles("nobody@example.com", &[Role::Staff], &[]).await.is_err());
}

#[tokio::test]
async fn no_role_is_given_before_the_address_is_proved() {
    let desk = Desk::open_to_unverified().await;
    let root = desk.admin(ROOT).await;
    desk.register(ADA, PASSWORD).await;
    let path = format!("/v1/users/{}", desk.id_of(ADA).await);
    let give = |roles: Value| desk.patch(&path, &root, json!({ "roles": roles }));
    for role in Role::ALL.map(Role::word) {
        let refused = desk.patch(&path, &root, json!({"is_active": false, "roles": [role]})).await.expect(409).json();
        assert_eq!(
            (&refused["code"], &refused["errors"][0]["pointer"]),
            (&json!("email_not_verified"), &json!("/roles"))
        );
        assert!(refused["detail"].as_str().unwrap().contains("/v1/users/verify/resend"), "{refused}");
        let told = desk.users.grant_roles(ADA, &[Role::of(role).unwrap()], &[]).await.unwrap_err().to_string();
        assert!(told.contains("/v1/users/verify/resend"), "{told}");
    }
    let user = desk.get(&path, &root).await.expect(200).json();
    assert_eq!((&user["roles"], &user["is_active"]), (&json!([]), &json!(true)));
    // What somebody was given before that was asked is taken from them, and nothing is added to it.
    desk.run("INSERT INTO user_roles (user_id, role) SELECT id, unnest('{orders,users}'::text[]) FROM users WHERE NOT is_admin")
        .await;
    let (check, found) =
        ("roles_are_given_to_proved_addresses", "user 2: it has a role, and nobody has proved its address");
    let check = estore_users::CHECKS.iter().find(|one| one.name == check).unwrap();
    assert_eq!(desk.text(check.sql).await, found);
    for (roles, status) in [
        (json!(["orders", "users"]), 200),
        (json!(["orders", "refunds"]), 409),
        (json!(["orders", "admin"]), 409),
        (json!(["orders"]), 200),
        (json!([]), 200),
    ] {
        let told = roles.to_string();
        assert_eq!(give(roles).await.status, status, "{told}");
    }
    desk.run("UPDATE users SET is_admin = true").await;
    give(json!(["admin"])).await.expect(200);
    give(json!([])).await.expect(200);
    for is_active in [false, true] {
        desk.patch(&path, &root, json!({ "is_active": is_active })).await.expect(200);
    }
    let token = desk.mailed_token(ADA, "verification").await;
    desk.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    assert_eq!(give(json!(["orders", "admin"])).await.expect(200).json()["roles"], json!(["orders", "admin"]));
    assert!(desk.db.rows(check.sql, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_edit_of_a_state_that_has_gone_is_refused() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    desk.customer(ADA).await;
    let path = format!("/v1/users/{}", desk.id_of(ADA).await);
    let etag = desk.get(&path, &root).await.expect(200).headers[header::ETAG].to_str().unwrap().to_owned();
    let edit = |etag: String, active: bool| {
        Request::patch(&path)
            .header(header::AUTHORIZATION, format!("Bearer {root}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_MATCH, etag)
            .body(Body::from(json!({"is_active": active}).to_string()))
            .unwrap()
    };
    let fresh = desk.send(edit(etag.clone(), false)).await.expect(200);
    assert_eq!(desk.send(edit(etag, true)).await.expect(412).code(), "etag_mismatch");
    let tag = fresh.headers[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(desk.get(&path, &root).await.headers[header::ETAG].to_str().unwrap(), tag);
    desk.send(edit(tag, true)).await.expect(200);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    let path = format!("/v1/users/{}", desk.id_of(ROOT).await);
    for change in [json!({"is_active": false}), json!({"roles": []}), json!({"roles": ["staff"]})] {
        assert_eq!(desk.patch(&path, &root, change).await.expect(409).code(), "last_admin");
    }
    let goodbye = Some(json!({"current_password": PASSWORD}));
    assert_eq!(desk.call(Method::DELETE, "/v1/users/me", Some(&root), goodbye).await.expect(409).code(), "last_admin");
}

#[tokio::test]
async fn two_administrators_cannot_remove_each_other_at_once() {
    let desk = Desk::open().await;
    for round in 0..5 {
        let (a, b) = (format!("a{round}@example.com"), format!("b{round}@example.com"));
        desk.run("UPDATE users SET is_admin = false").await;
        let (token_a, token_b) = (desk.admin(&a).await, desk.admin(&b).await);
        let (path_a, path_b) =
            (format!("/v1/users/{}", desk.id_of(&a).await), format!("/v1/users/{}", desk.id_of(&b).await));
        let removal = || json!({"roles": []});
        let (one, two) =
            tokio::join!(desk.patch(&path_b, &token_a, removal()), desk.patch(&path_a, &token_b, removal()));
        let mut answers = [one.status.as_u16(), two.status.as_u16()];
        answers.sort_unstable();
        // Whoever loses the role is logged out, and may be so before the other request is looked at.
        assert!(matches!(answers, [200, 401 | 403]), "{answers:?} {} {}", one.text, two.text);
        assert_eq!(desk.number("SELECT count(*) FROM users WHERE is_admin AND is_active").await, 1);
    }
}

#[tokio::test]
async fn an_erased_account_stays_erased() {
    let desk = Desk::open().await;
    let root = desk.admin(ROOT).await;
    desk.customer(ADA).await;
    let path = format!("/v1/users/{}", desk.id_of(ADA).await);
    let (access, _) = desk.log_in(ADA, PASSWORD).await;
    let goodbye = Some(json!({"current_password": PASSWORD}));
    desk.call(Method::DELETE, "/v1/users/me", Some(&access), goodbye).await.expect(204);
    assert_eq!(desk.patch(&path, &root, json!({"is_active": true})).await.expect(409).code(), "account_erased");
}

#[tokio::test]
async fn an_administrator_from_the_command_line_keeps_the_rules() {
    let desk = Desk::open().await;
    for (email, password) in [("nobody", PASSWORD), (ROOT, "password1")] {
        desk.users.create_admin(email, password).await.unwrap_err();
    }
    desk.users.create_admin("Root@Example.com", PASSWORD).await.unwrap();
    assert!(desk.users.create_admin(ROOT, PASSWORD).await.unwrap_err().to_string().contains("already"));
}

#[tokio::test]
async fn a_one_time_password_is_good_for_setting_another_one_and_for_nothing_else() {
    const NEW: &str = "a mill of many wheels";
    let desk = Desk::open().await;
    desk.users.create_admin_once(ROOT, PASSWORD).await.unwrap();
    let log_in = |body: Value| desk.post("/v1/tokens", body);
    for _ in 0..2 {
        let refused = log_in(json!({"email": ROOT, "password": PASSWORD})).await.expect(403);
        assert_eq!(refused.code(), "password_change_required");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/new_password");
    }
    log_in(json!({"email": ROOT, "password": "wrong", "new_password": NEW})).await.expect(401);
    for bad in ["short", "password1234", ROOT] {
        let refused = log_in(json!({"email": ROOT, "password": PASSWORD, "new_password": bad})).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/new_password", "{}", refused.text);
    }
    let both = json!({"email": ROOT, "password": PASSWORD, "new_password": NEW});
    let (one, other) = tokio::join!(log_in(both.clone()), log_in(both.clone()));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", one.text, other.text);
    log_in(both).await.expect(401);
    let unasked = log_in(json!({"email": ROOT, "password": NEW, "new_password": PASSWORD})).await.expect(422);
    assert_eq!(unasked.json()["errors"][0]["code"], "not_asked_for");
    let (access, _) = desk.log_in(ROOT, NEW).await;
    desk.get("/v1/users", &access).await.expect(200);
}
