//! A running service with its mail in a folder, and short words for what tests do with it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::{Extension, Router};
use estore_api::customers::{CustomersApi, Purchases};
use estore_api::events::{EventsApi, ServiceEvent};
use estore_api::neighbour::CallError;
use estore_kit::auth::Verifier;
use estore_kit::db::Db;
use estore_kit::edge::{EdgeLimits, edge};
use estore_kit::field::{Fields, KeyFile, Names, Place, Ring};
use estore_kit::request::ClientAddress;
use estore_testkit::cluster::{TestCluster, TestDatabase};
use estore_users::{MIGRATIONS, MailConfig, Users, UsersConfig};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "kartoffel-turm-9";

pub(crate) struct Desk {
    pub(crate) users: Users,
    pub(crate) db: Db,
    pub(crate) database: Arc<TestDatabase>,
    pub(crate) folder: Arc<TempDir>,
    pub(crate) ears: Arc<Ears>,
    router: Router,
    jobs_end: CancellationToken,
    _jobs: DropGuard,
}

/// The neighbour that hears of events.
#[derive(Default)]
pub(crate) struct Ears {
    pub(crate) heard: Mutex<Vec<ServiceEvent>>,
    /// It hears, and its answer is lost.
    pub(crate) loses_answers: AtomicBool,
}

#[async_trait]
impl CustomersApi for Ears {
    async fn purchases(&self, user_id: i32) -> Result<Purchases, CallError> {
        Ok(Purchases { orders: vec![json!({"user_id": user_id})], ..Purchases::default() })
    }
}

#[async_trait]
impl EventsApi for Ears {
    async fn publish(&self, events: Vec<ServiceEvent>) -> Result<(), CallError> {
        self.heard.lock().unwrap().extend(events);
        let lost = self.loses_answers.swap(false, SeqCst);
        if lost { Err(CallError { service: "payments", cause: "the answer was lost".into() }) } else { Ok(()) }
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

/// The keys that all processes of a shop share.
pub(crate) fn fields(folder: &Path) -> Fields {
    let keys = KeyFile::open(&folder.join("secrets/field-keys")).unwrap();
    Fields::new(Ring::open(Box::new(keys)).unwrap(), Names::default())
}

pub(crate) fn config(folder: &Path) -> UsersConfig {
    UsersConfig {
        token_key_file: folder.join("secrets/key.pem"),
        totp_key_file: folder.join("secrets/totp-key"),
        mail: MailConfig { dir: folder.join("mail"), ..MailConfig::default() },
        fields: Some(Arc::new(fields(folder))),
        ..UsersConfig::default()
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut UsersConfig)) -> Self {
        Self::open_without_jobs(change).await.with_jobs()
    }

    /// The text of the newest letter in the outbox, which has not left.
    pub(crate) async fn newest_waiting_letter(&self) -> String {
        let sql = "SELECT body, sealed_for::text FROM mails ORDER BY id DESC LIMIT 1";
        let row = self.db.row(sql, &[]).await.unwrap().unwrap();
        let place = Place { table: "mails", column: "body", row: row.get::<_, String>(1) };
        fields(self.folder.path()).open_text(row.get(0), place).unwrap()
    }

    /// A shop whose customers may log in before their address is proved.
    pub(crate) async fn open_to_unverified() -> Self {
        Self::open_with(|config| config.unverified_may_log_in = true).await
    }

    /// Another process of the same shop, which asks for proved addresses.
    pub(crate) async fn another(&self) -> Self {
        Self::on(Arc::clone(&self.database), Arc::clone(&self.folder), |_| {}).await.with_jobs()
    }

    fn with_jobs(self) -> Self {
        let (users, ears, shutdown) = (self.users.clone(), Arc::clone(&self.ears), self.jobs_end.clone());
        tokio::spawn(async move { users.run_jobs(ears, shutdown).await });
        self
    }

    /// Letters stay in the outbox.
    pub(crate) async fn open_without_jobs(change: impl FnOnce(&mut UsersConfig)) -> Self {
        let database = TestCluster::shared().await.database("users", MIGRATIONS).await;
        let folder = tempfile::tempdir().unwrap();
        Self::on(Arc::new(database), Arc::new(folder), change).await
    }

    async fn on(database: Arc<TestDatabase>, folder: Arc<TempDir>, change: impl FnOnce(&mut UsersConfig)) -> Self {
        let mut config = config(folder.path());
        change(&mut config);
        let db = Db::new(database.logins(), 8).unwrap();
        let users = Users::start(db.clone(), config).await.unwrap();
        let ears = Arc::new(Ears::default());
        users.export_through(Arc::<Ears>::clone(&ears));
        let router = users.router().split_for_parts().0;
        let verifier = Verifier::given(&users.key_set()).heeding(users.revocations());
        let verifier = verifier.taking(Arc::new(users.clone()));
        let router = router.layer(Extension(Arc::new(verifier)));
        let jobs_end = CancellationToken::new();
        let router = edge(router, &EdgeLimits::default());
        Self { users, db, database, folder, ears, router, _jobs: jobs_end.clone().drop_guard(), jobs_end }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, None, Some(body)).await
    }

    /// Tries to log in from somewhere.
    pub(crate) async fn log_in_from(&self, address: &str, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password}).to_string();
        let request = Request::post("/v1/tokens")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(ClientAddress(address.parse().unwrap()));
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, Some(token), None).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(token), Some(body)).await
    }

    pub(crate) async fn form(&self, path: &str, body: String) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn register(&self, email: &str, password: &str) -> Answer {
        self.post("/v1/users", json!({"email": email, "password": password})).await.expect(202)
    }

    /// Registers and proves the address.
    pub(crate) async fn customer(&self, email: &str) {
        let before = self.letters(email, "verification").len();
        self.register(email, PASSWORD).await;
        let letter = self.letter_after(email, "verification", before).await;
        let token = token_of(&letter);
        self.post("/v1/users/verify", json!({"token": token})).await.expect(200);
    }

    /// The access and the refresh token of a new session.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> (String, String) {
        let answer = self.post("/v1/tokens", json!({"email": email, "password": password})).await.expect(200);
        tokens(&answer)
    }

    /// The letters of a kind to an address that have left, oldest first.
    pub(crate) fn letters(&self, to: &str, kind: &str) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path().join("mail"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(&format!("-{kind}.eml")))
            .collect();
        names.sort();
        let texts = names.iter().map(|path| std::fs::read_to_string(path).unwrap());
        texts.filter(|text| text.lines().any(|line| line == format!("To: {to}"))).collect()
    }

    /// Waits for a letter.
    pub(crate) async fn letter(&self, to: &str, kind: &str) -> String {
        self.letter_after(to, kind, 0).await
    }

    /// Waits until there are more than `before` such letters; the newest.
    pub(crate) async fn letter_after(&self, to: &str, kind: &str, before: usize) -> String {
        for _ in 0..500 {
            let mut letters = self.letters(to, kind);
            if letters.len() > before {
                return letters.pop().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no {kind} letter to {to} within 5 s");
    }

    /// The token of the newest such letter.
    pub(crate) async fn mailed_token(&self, to: &str, kind: &str) -> String {
        token_of(&self.letter(to, kind).await)
    }

    /// Waits until the outbox is empty.
    pub(crate) async fn all_mail_left(&self) {
        for _ in 0..500 {
            if self.number("SELECT count(*) FROM mails WHERE sent_at IS NULL").await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("mail waits for more than 5 s");
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.db.row(sql, &[]).await.unwrap().unwrap().get(0)
    }

    pub(crate) async fn text(&self, sql: &str) -> String {
        self.db.row(sql, &[]).await.unwrap().unwrap().get(0)
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db.execute(sql, &[]).await.unwrap();
    }

    pub(crate) async fn id_of(&self, email: &str) -> i32 {
        self.db.row("SELECT id FROM users WHERE email = $1", &[&email]).await.unwrap().unwrap().get(0)
    }

    /// An administrator's access token.
    pub(crate) async fn admin(&self, email: &str) -> String {
        self.users.create_admin(email, PASSWORD).await.unwrap();
        self.log_in(email, PASSWORD).await.0
    }
}

pub(crate) fn token_of(letter: &str) -> String {
    letter.lines().find_map(|line| line.strip_prefix("Token: ")).unwrap().to_owned()
}

pub(crate) fn tokens(answer: &Answer) -> (String, String) {
    let json = answer.json();
    (json["access_token"].as_str().unwrap().to_owned(), json["refresh_token"].as_str().unwrap().to_owned())
}
