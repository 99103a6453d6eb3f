//! A PostgreSQL elsewhere is reached by TLS, with its certificate, its name and the log-in checked, or not at all.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::postgres::{ClusterOptions, PrivateCluster};
use tempfile::TempDir;

/// What the certificate says; an address of this machine stands behind it.
const NAME: &str = "db.estore.test";
const PASSWORD: &str = "of-the-administrator";

/// A server that listens with TLS, and what an estore needs to reach it.
struct Elsewhere {
    cluster: PrivateCluster,
    folder: TempDir,
    address: String,
}

impl Elsewhere {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let theirs = folder.path().join("theirs");
        let cluster = PrivateCluster::start(&theirs, ClusterOptions::for_tests()).await.unwrap();
        cluster.stop().await.unwrap();
        drop(cluster);
        let data = theirs.join("postgres/data");
        make_certificates(folder.path(), &data);
        // Every process of this machine has addresses of its own here.
        let pid = std::process::id();
        let address = format!("127.{}.{}.{}", 1 + (pid >> 16) % 250, (pid >> 8) % 250, 1 + pid % 250);
        let settings = format!(
            "listen_addresses = '{address}'\nssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n\
             hba_file = '{}/own_hba.conf'\n",
            data.display()
        );
        give(&data, "custom.conf", &settings);
        let this = Self {
            cluster: {
                give(&data, "own_hba.conf", &hba("scram-sha-256"));
                PrivateCluster::start(&theirs, ClusterOptions::for_tests()).await.unwrap()
            },
            folder,
            address,
        };
        this.run(&format!("ALTER ROLE postgres PASSWORD '{PASSWORD}'")).await;
        this
    }

    async fn run(&self, sql: &str) {
        let admin = Connection::open(&self.cluster.config_for("postgres", "postgres")).await.unwrap();
        admin.batch_execute(sql).await.unwrap();
    }

    /// Changes how roles log in, and waits until it is so.
    async fn log_in_by(&self, method: &str) {
        let data = self.folder.path().join("theirs/postgres/data");
        give(&data, "own_hba.conf", &hba(method));
        self.run("SELECT pg_reload_conf()").await;
        let sql = "SELECT count(*) FROM pg_hba_file_rules WHERE type = 'host' AND auth_method = $1";
        let admin = Connection::open(&self.cluster.config_for("postgres", "postgres")).await.unwrap();
        assert_eq!(admin.query_one(sql, &[&method]).await.unwrap().get::<_, i64>(0), 1);
    }

    fn url(&self, (role, password): (&str, &str), database: &str, server: (&str, &str)) -> String {
        let (name, rest) = server;
        format!("postgresql://{role}:{password}@/{database}?host={name}&hostaddr={}{rest}", self.address)
    }

    fn estore(&self, server: (&str, &str), also: &[(&str, &str)]) -> Command {
        let mut command = Command::new(crate::ESTORE);
        command.env("ESTORE_DATA_DIR", self.folder.path().join("ours"));
        command.env("ESTORE_DATABASES__CA_FILE", self.folder.path().join("ca.pem"));
        let app = self.url(("estore_users_app", "of-the-app"), "estore_users", server);
        command.env("ESTORE_DATABASES__USERS__URL", app);
        command.env("ESTORE_DATABASES__USERS__ADMIN_URL", self.url(("postgres", PASSWORD), "postgres", server));
        command.env("ESTORE_SERVICES__PAYMENTS_URL", "http://127.0.0.1:9");
        command.envs(also.iter().copied());
        command
    }

    /// What UserService says as it ends at once.
    fn refused(&self, server: (&str, &str), also: &[(&str, &str)]) -> String {
        let mut command = self.estore(server, also);
        let Output { status, stderr, .. } =
            command.args(["serve", "users", "--listen", "127.0.0.1:0"]).output().unwrap();
        let told = String::from_utf8_lossy(&stderr).into_owned();
        assert!(!status.success(), "{told}");
        assert!(!told.contains("of-the-app") && !told.contains(PASSWORD), "a password is told: {told}");
        told
    }

    /// Runs UserService until it is ready; what it logged.
    async fn served(&self, server: (&str, &str), also: &[(&str, &str)]) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut command = self.estore(server, also);
        command.args(["serve", "users", "--listen", &address]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let server = command.spawn().unwrap();
        let begun = Instant::now();
        let url = format!("http://{address}/health/ready");
        while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let pid = nix::unistd::Pid::from_raw(i32::try_from(server.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        let Output { stdout, stderr, .. } = server.wait_with_output().unwrap();
        String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
    }
}

fn hba(method: &str) -> String {
    format!("local all all peer map=estore\nhost all all 127.0.0.0/8 {method}\n")
}

/// A file of the server's own.
fn give(data: &Path, name: &str, text: &str) {
    let (path, owner) = (data.join(name), std::fs::metadata(data).unwrap());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

/// An authority, another one, and the server's certificate by the first.
fn make_certificates(folder: &Path, data: &Path) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        let made = command.args(arguments.split(' ')).current_dir(folder).output().expect("openssl is installed");
        assert!(made.status.success(), "{arguments}: {}", String::from_utf8_lossy(&made.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for authority in ["ca", "other"] {
        openssl(&format!("req -x509 {key} -keyout {authority}.key -out {authority}.pem -days 2 -subj /CN={authority}"));
    }
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN={NAME}"));
    std::fs::write(folder.join("names"), format!("subjectAltName=DNS:{NAME}\n")).unwrap();
    openssl(
        "x509 -req -sha256 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
    for name in ["server.pem", "server.key"] {
        give(data, name, &std::fs::read_to_string(folder.join(name)).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_elsewhere_is_reached_safely_or_not_at_all() {
    let elsewhere = Elsewhere::start().await;
    let right = (NAME, "&sslmode=verify-full");
    let migrated = elsewhere.estore(right, &[]).args(["db", "migrate", "up", "--database", "users"]).output().unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let told = elsewhere.served(right, &[]).await;
    assert!(!told.contains("allow_insecure"), "{told}");

    let other: PathBuf = elsewhere.folder.path().join("other.pem");
    let other = [("ESTORE_DATABASES__CA_FILE", other.to_str().unwrap())];
    let told = elsewhere.refused(right, &other);
    assert!(told.contains("Nobody that is trusted vouches") && told.contains("databases.ca_file"), "{told}");
    let told = elsewhere.refused(("wrong.estore.test", ""), &[]);
    assert!(told.contains("certificate is for another name"), "{told}");
    let told = elsewhere.refused((NAME, "&sslmode=disable"), &[]);
    assert!(told.contains("sslmode=disable") && told.contains("databases.allow_insecure"), "{told}");
    let told = elsewhere.refused(right, &[("ESTORE_DATABASES__CA_FILE", "/nowhere/ca.pem")]);
    assert!(told.contains("/nowhere/ca.pem"), "{told}");

    for method in ["password", "trust"] {
        elsewhere.log_in_by(method).await;
        let told = elsewhere.refused(right, &[]);
        assert!(told.contains("channel binding") && told.contains("scram-sha-256"), "{method}: {told}");
    }
    elsewhere.log_in_by("scram-sha-256").await;

    elsewhere.run("ALTER SYSTEM SET ssl = off").await;
    elsewhere.run("SELECT pg_reload_conf()").await;
    let begun = Instant::now();
    loop {
        let told = elsewhere.refused((NAME, ""), &[]);
        if told.contains("does not support TLS") && told.contains("ssl = on") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{told}");
    }
    // Where somebody says so, without; and the log says it too.
    let insecure = [("ESTORE_DATABASES__ALLOW_INSECURE", "true")];
    let told = elsewhere.served((NAME, "&sslmode=disable"), &insecure).await;
    assert!(told.contains("databases.allow_insecure"), "{told}");
    elsewhere.cluster.stop().await.unwrap();
}
