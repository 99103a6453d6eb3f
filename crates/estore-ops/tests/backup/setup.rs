//! Three databases with rows of every kind, and a folder for their backups.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use estore_kit::migration::Migration;
use estore_ops::backup::{
    BackupOptions, Created, FenceOptions, Identity, Manifest, Recipients, Report, SigningKey, Source, Target,
    VerifyOptions, create, generate_identity, silent, verify,
};
use estore_ops::connection::Connection;
use estore_ops::roles::{BACKUP, Service};
use estore_testkit::cluster::{TestCluster, TestDatabase};
use tempfile::TempDir;

/// A word that stands in the rows and may stand in no stored byte.
pub const NEEDLE: &str = "a-secret-nobody-reads-in-a-backup";

const USERS: &[Migration] = &[Migration {
    version: 202601010000,
    name: "users",
    up: "CREATE TABLE users (id serial PRIMARY KEY, email varchar(255) UNIQUE NOT NULL,
             created_at timestamptz DEFAULT CURRENT_TIMESTAMP);
         CREATE TABLE tokens (id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users(id), token text NOT NULL);
         ALTER TABLE tokens ENABLE ROW LEVEL SECURITY; ALTER TABLE tokens FORCE ROW LEVEL SECURITY;
         CREATE POLICY own_tokens ON tokens USING (user_id = nullif(current_setting('estore.user_id', true), '')::integer);
         INSERT INTO users (email) SELECT 'u' || n || '@a-secret-nobody-reads-in-a-backup' FROM generate_series(1, 200) n;",
    down: "-- destructive: all\nDROP TABLE tokens, users;",
}];
const INVENTORY: &[Migration] = &[Migration {
    version: 202601010000,
    name: "products",
    up: "CREATE TABLE products (id serial PRIMARY KEY, name text NOT NULL CHECK (name <> ''), price integer NOT NULL,
             weight double precision, metadata jsonb DEFAULT '{}'::jsonb, picture bytea, span interval);
         CREATE INDEX idx_products_name ON products USING gin (name gin_trgm_ops);
         CREATE INDEX idx_products_metadata ON products USING gin (metadata);
         CREATE TABLE writes (id bigint PRIMARY KEY);
         INSERT INTO products (name, price, weight, metadata, picture, span)
         SELECT 'product ' || n, n, random(), jsonb_build_object('n', n), decode(md5(n::text), 'hex'), n * interval '1 hour'
         FROM generate_series(1, 500) n;",
    down: "-- destructive: all\nDROP TABLE writes, products;",
}];
const PAYMENTS: &[Migration] = &[Migration {
    version: 202601010000,
    name: "orders",
    up: "CREATE TABLE orders (id serial PRIMARY KEY, user_id varchar NOT NULL, total_amount integer NOT NULL,
             status varchar NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'paid')));
         CREATE INDEX idx_orders_user ON orders(user_id);
         CREATE TABLE writes (id bigint PRIMARY KEY);
         CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, body jsonb, PRIMARY KEY (id, at))
             PARTITION BY RANGE (at);
         CREATE TABLE events_2026_01 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
         CREATE TABLE events_2026_02 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
         INSERT INTO orders (user_id, total_amount) SELECT (n % 50)::text, n FROM generate_series(1, 1000) n;
         INSERT INTO events (at, body) SELECT '2026-01-15'::timestamptz + n * interval '1 hour', '{}' FROM generate_series(1, 600) n;",
    down: "-- destructive: all\nDROP TABLE events, writes, orders;",
}];

/// The databases, and where their backups go.
pub struct Shop {
    pub users: TestDatabase,
    pub inventory: TestDatabase,
    pub payments: TestDatabase,
    pub folder: TempDir,
    pub target: Target,
    pub signer: Arc<SigningKey>,
    pub recipient: String,
}

impl Shop {
    pub async fn new() -> Self {
        let cluster = TestCluster::shared().await;
        let users = cluster.database("users", USERS).await;
        let inventory = cluster.database("inventory", INVENTORY).await;
        let payments = cluster.database("payments", PAYMENTS).await;
        // Past the policy, which binds the owner too.
        let administrator = Connection::open(&users.admin_config()).await.unwrap();
        let tokens = "INSERT INTO tokens (user_id, token) SELECT id, 'token ' || id FROM users";
        administrator.batch_execute(tokens).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}", folder.path().join("target").display());
        let target = Target::open(&url, []).unwrap();
        let signer = Arc::new(SigningKey::read_or_make(&folder.path().join("signing-key")).unwrap());
        let recipient = generate_identity(&folder.path().join("identity")).unwrap();
        Self { users, inventory, payments, folder, target, signer, recipient }
    }

    pub fn sources(&self) -> Vec<Source> {
        let databases = [&self.users, &self.inventory, &self.payments];
        databases.into_iter().map(|database| source(database, BACKUP)).collect()
    }

    pub fn options(&self) -> BackupOptions {
        BackupOptions {
            recipients: Recipients::parse([self.recipient.as_str()]).unwrap(),
            fence: FenceOptions::default(),
            signer: Arc::clone(&self.signer),
            compression_level: 3,
            estore_version: "0.0.0-test".to_owned(),
        }
    }

    pub async fn back_up(&self) -> Created {
        create(&self.sources(), &self.target, &self.options(), &silent).await.unwrap()
    }

    pub fn identity(&self) -> Identity {
        Identity::read(&self.folder.path().join("identity")).unwrap()
    }

    pub fn verify_options(&self) -> VerifyOptions<'static> {
        VerifyOptions {
            identity: Some(self.identity()),
            signer: self.signer.public(),
            scratch_parent: std::env::temp_dir(),
            extra: Vec::new(),
        }
    }

    pub async fn verify(&self, id: &str) -> Report {
        Box::pin(verify(&self.target, id, &self.verify_options(), &silent)).await.unwrap()
    }

    /// A file of a set.
    pub fn file(&self, id: &str, name: &str) -> PathBuf {
        self.folder.path().join("target").join(id).join(name)
    }

    /// Puts another manifest in a set's place, signed as ours: what a fault of the dump would leave.
    pub fn sign_again(&self, id: &str, manifest: &Manifest) {
        let text = serde_json::to_vec(manifest).unwrap();
        std::fs::write(self.file(id, "manifest.sig"), self.signer.sign(&text)).unwrap();
        std::fs::write(self.file(id, "manifest.json"), text).unwrap();
    }
}

pub fn source(database: &TestDatabase, role: &str) -> Source {
    Source {
        service: Service::named(database.service().name()).unwrap(),
        database: database.name().to_owned(),
        dump: database.config_as(role),
        fence: database.admin_config(),
    }
}

pub async fn connect(database: &TestDatabase) -> Connection {
    Connection::open(&database.admin_config()).await.unwrap()
}

/// Every file under a folder.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_under(&path)) } else { found.push(path) }
    }
    found
}
