//! How many statements a request costs; none grows with the data.

use std::collections::{BTreeMap, HashMap};

use axum::http::Method;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::authenticator::Authenticator;
use crate::desk::{Desk, PASSWORD, tokens};
use crate::passkeys::{PASSKEYS, STEP_UP, creation, proof, request};

const ADA: &str = "ada@example.com";

struct Counter {
    admin: Client,
    database: String,
}

impl Counter {
    async fn of(desk: &Desk) -> Self {
        let (admin, connection) = desk.database.admin_config().connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { admin, database: desk.database.name().to_owned() }
    }

    /// How often the service has run each statement, transaction brackets left out.
    async fn calls(&self) -> HashMap<i64, i64> {
        let sql = "SELECT queryid, sum(calls)::bigint FROM pg_stat_statements AS seen
            JOIN pg_database ON pg_database.oid = seen.dbid JOIN pg_roles ON pg_roles.oid = seen.userid
            WHERE datname = $1 AND rolname IN ('estore_users_app', 'estore_users_writer', 'estore_staff') AND query !~* '^(start|begin|commit|rollback)'
            GROUP BY queryid";
        let rows = self.admin.query(sql, &[&self.database]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}

/// How often each statement was run meanwhile, those left out that were not. The server forgets statements when many are
/// about; one that comes back counts from nothing.
fn run_since(before: &HashMap<i64, i64>, now: &HashMap<i64, i64>) -> BTreeMap<i64, i64> {
    let run = |(statement, calls): (&i64, &i64)| {
        let old = before.get(statement).copied().unwrap_or(0);
        (*statement, if *calls < old { *calls } else { calls - old })
    };
    now.iter().map(run).filter(|(_, times)| *times > 0).collect()
}

fn difference(before: &HashMap<i64, i64>, now: &HashMap<i64, i64>) -> i64 {
    run_since(before, now).into_values().sum()
}

async fn token_in_outbox(desk: &Desk) -> String {
    let body = desk.newest_waiting_letter().await;
    body.lines().find_map(|line| line.strip_prefix("Token: ")).unwrap().to_owned()
}

#[tokio::test]
async fn every_route_has_its_number_of_statements() {
    let desk = Desk::open_without_jobs(|_| {}).await;
    let root = desk.admin("root@example.com").await;
    let counter = Counter::of(&desk).await;
    let post = |path: &'static str, body: Value| desk.call(Method::POST, path, None, Some(body));

    let mut before = counter.calls().await;
    let mut costs = Vec::new();
    let mut note = async |name: &'static str| {
        let now = counter.calls().await;
        costs.push((name, difference(&before, &now)));
        before = now;
    };
    post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    note("register").await;
    let verification = token_in_outbox(&desk).await;
    note("(the test reads the token)").await;
    post("/v1/users/verify", json!({"token": verification})).await.expect(200);
    note("verify").await;
    let session = post("/v1/tokens", json!({"email": ADA, "password": PASSWORD})).await.expect(200);
    note("log in").await;
    let (access, refresh) = tokens(&session);
    post("/v1/tokens", json!({"email": ADA, "password": "wrong-one-42"})).await.expect(401);
    note("refused log in").await;
    post("/v1/tokens", json!({"email": "nobody@example.com", "password": "wrong-one-42"})).await.expect(401);
    note("refused log in of nobody").await;
    post("/v1/tokens/refresh", json!({"refresh_token": refresh})).await.expect(200);
    note("refresh").await;
    desk.get("/v1/users/me", &access).await.expect(200);
    note("me").await;
    desk.call(Method::DELETE, "/v1/tokens", Some(&access), None).await.expect(204);
    note("log out").await;
    desk.get("/v1/users?limit=1", &root).await.expect(200);
    note("list one").await;
    desk.run(
        "INSERT INTO users (email, hashed_password) SELECT n || '@x.example', '!' FROM generate_series(1, 200) AS n",
    )
    .await;
    note("(the test makes accounts)").await;
    desk.get("/v1/users?limit=100", &root).await.expect(200);
    note("list a hundred").await;
    desk.get("/v1/users?limit=100&q=x.example", &root).await.expect(200);
    note("search a hundred").await;
    let wish = Some(json!({"name": "reports", "scopes": ["users"]}));
    let key = desk.call(Method::POST, "/v1/api-keys", Some(&root), wish).await.expect(201).json();
    note("make a key").await;
    for name in ["list by a new key", "list by a known key"] {
        desk.get("/v1/users?limit=1", key["secret"].as_str().unwrap()).await.expect(200);
        note(name).await;
    }
    assert_eq!(
        costs,
        [
            // Who changes it is said first, for the audit log.
            ("register", 4),
            ("(the test reads the token)", 1),
            // What was tried before it is forgotten.
            ("verify", 3),
            ("log in", 3),
            // What failed is counted for the account; it is as much for one that there is not.
            ("refused log in", 2),
            ("refused log in of nobody", 2),
            ("refresh", 1),
            // It says itself for whom it is.
            ("me", 1),
            ("log out", 1),
            ("list one", 2),
            ("(the test makes accounts)", 1),
            ("list a hundred", 2),
            ("search a hundred", 2),
            // Who makes it, the key, and the letter to them.
            ("make a key", 3),
            ("list by a new key", 3),
            ("list by a known key", 2),
        ]
    );
}

#[tokio::test]
async fn a_refused_log_in_takes_the_same_statements_whatever_is_wrong() {
    let desk = Desk::open_without_jobs(|_| {}).await;
    desk.admin("root@example.com").await;
    for email in [ADA, "bob@example.com"] {
        desk.register(email, PASSWORD).await;
    }
    desk.run("UPDATE users SET is_verified = true WHERE email LIKE 'bob%'").await;
    let counter = Counter::of(&desk).await;
    let mut seen = Vec::new();
    for (email, password) in
        [("nobody@example.com", PASSWORD), ("bob@example.com", "wrong-one-42"), (ADA, "wrong-one-42"), (ADA, PASSWORD)]
    {
        let before = counter.calls().await;
        desk.post("/v1/tokens", json!({"email": email, "password": password})).await.expect(401);
        seen.push(run_since(&before, &counter.calls().await));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]) && seen[0].len() == 2, "{seen:?}");
}

#[tokio::test]
async fn passkeys_have_their_number_of_statements() {
    let desk = Desk::open_without_jobs(|_| {}).await;
    let access = desk.admin("root@example.com").await;
    let mut device = Authenticator::new();
    let counter = Counter::of(&desk).await;
    let mut before = counter.calls().await;
    let mut costs = Vec::new();
    let mut note = async |name: &'static str| {
        let now = counter.calls().await;
        costs.push((name, difference(&before, &now)));
        before = now;
    };
    let post = |path: &'static str, token, body: Value| desk.call(Method::POST, path, token, Some(body));
    let options = creation(&desk, &access).await;
    note("begin to add").await;
    let body = json!({"name": "x", "credential": device.create(&options)});
    post(PASSKEYS, Some(&access), body).await.expect(201);
    note("add").await;
    let passkey = device.get(&request(&desk, false).await);
    note("begin to log in").await;
    post("/v1/tokens/passkey", None, json!({"passkey": passkey})).await.expect(200);
    note("log in").await;
    post("/v1/tokens/passkey", None, json!({"passkey": passkey})).await.expect(400);
    note("log in again by the same").await;
    let passkey = proof(&desk, &access, &mut device).await;
    note("begin to step up").await;
    post(STEP_UP, Some(&access), json!({"passkey": passkey})).await.expect(200);
    note("step up").await;
    desk.get(PASSKEYS, &access).await.expect(200);
    note("list").await;
    assert_eq!(
        costs,
        [
            ("begin to add", 2),
            // The challenge, who changes it, the account, the passkey and the letter.
            ("add", 5),
            ("begin to log in", 0),
            ("log in", 4),
            ("log in again by the same", 1),
            ("begin to step up", 2),
            ("step up", 4),
            ("list", 1),
        ]
    );
}
