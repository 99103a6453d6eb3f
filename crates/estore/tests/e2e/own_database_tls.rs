//! A shop on a PostgreSQL of its own that is reached by TLS alone, as the manual has it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::postgres::{ClusterOptions, PrivateCluster};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const PASSWORD: &str = "of-the-url";
/// How long the services may take to be ready.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// A server that others run: on an address of this machine's own, so that it may have PostgreSQL's port.
struct Theirs {
    folder: TempDir,
    cluster: PrivateCluster,
    address: String,
}

impl Theirs {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let home = folder.path().join("theirs");
        let cluster = PrivateCluster::start(&home, ClusterOptions::for_tests()).await.unwrap();
        let administrator = Connection::open(&cluster.config_for("postgres", "postgres")).await.unwrap();
        administrator.batch_execute(&format!("ALTER ROLE postgres PASSWORD '{PASSWORD}'")).await.unwrap();
        drop(administrator);
        cluster.stop().await.unwrap();
        drop(cluster);
        let [a, b, c] = rand::random::<[u8; 3]>();
        let address = format!("127.{a}.{b}.{}", c.clamp(2, 250));
        let data = home.join("postgres/data");
        certificates(folder.path(), &data, &address);
        let settings = format!(
            "listen_addresses = '{address}'\nssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n\
             ssl_min_protocol_version = 'TLSv1.2'\nhba_file = '{}'\n",
            data.join("their_hba.conf").display()
        );
        std::fs::write(data.join("custom.conf"), settings).unwrap();
        let doors = "local all postgres peer map=estore\nhostssl all all 127.0.0.0/8 scram-sha-256\n";
        std::fs::write(data.join("their_hba.conf"), doors).unwrap();
        let cluster = PrivateCluster::start(&home, ClusterOptions::for_tests()).await.unwrap();
        Self { folder, cluster, address }
    }

    fn url(&self, database: &str, role: &str) -> String {
        format!("postgresql://{role}:{PASSWORD}@{}/{database}", self.address)
    }

    /// A command of a shop that is pointed at it, with or without their authority among the trusted ones.
    fn estore(&self, arguments: &[&str], trusts: bool) -> Command {
        let mut command = Command::new(crate::ESTORE);
        command.args(arguments).arg("--data-dir").arg(self.folder.path().join("ours"));
        for service in ["users", "inventory", "payments"] {
            let (name, database) = (service.to_uppercase(), format!("estore_{service}"));
            command.env(format!("ESTORE_DATABASES__{name}__URL"), self.url(&database, &format!("{database}_app")));
            command.env(format!("ESTORE_DATABASES__{name}__ADMIN_URL"), self.url("postgres", "postgres"));
            command.env(format!("ESTORE_DATABASES__{name}__BACKUP_URL"), self.url(&database, "estore_backup"));
        }
        command.env("SSL_CERT_FILE", self.folder.path().join(if trusts { "ca.pem" } else { "other.pem" }));
        command
    }

    fn run(&self, arguments: &[&str], trusts: bool) -> (bool, String) {
        let output = self.estore(arguments, trusts).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

/// An authority, another one, and the server's certificate for its address.
fn certificates(folder: &Path, data: &Path, address: &str) {
    let openssl = |words: &str| {
        let output = Command::new("openssl").args(words.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for authority in ["ca", "other"] {
        let new = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj";
        openssl(&format!("{new} /CN={authority} -keyout {authority}.key -out {authority}.pem"));
    }
    openssl("req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr");
    std::fs::write(folder.join("names"), format!("subjectAltName=IP:{address}\nbasicConstraints=CA:FALSE\n")).unwrap();
    let signed = "x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial";
    openssl(&format!("{signed} -in server.csr -extfile names -out server.crt"));
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(data).unwrap());
    for name in ["server.crt", "server.key"] {
        let place = data.join(name);
        std::fs::copy(folder.join(name), &place).unwrap();
        std::fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&place, Some(owner), None).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_on_a_server_that_is_reached_by_tls_alone() {
    let theirs = Theirs::start().await;
    let (ok, said) = theirs.run(&["db", "migrate", "up"], false);
    assert!(!ok && said.to_lowercase().contains("certificate"), "an authority that nobody trusts: {said}");
    let (ok, said) = theirs.run(&["db", "migrate", "up"], true);
    assert!(ok, "{said}");
    let (ok, said) = theirs.run(&["doctor"], true);
    assert!(ok, "{said}");

    let target = format!("file://{}", theirs.folder.path().join("backups").display());
    let (ok, said) = theirs.run(&["backup", "create", "--target", &target, "--unencrypted"], true);
    assert!(ok, "as estore_backup, whose password came from its URL: {said}");
    let administrator = Connection::open(&theirs.cluster.config_for("postgres", "postgres")).await.unwrap();
    let bare =
        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL AND NOT ssl";

    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut shop = theirs.estore(&["serve", "all", "--listen", &listen], true).spawn().unwrap();
    let begun = Instant::now();
    let ready = format!("http://{listen}/health/ready");
    while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(begun.elapsed() < START_TIME_MAX, "it is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let row = administrator.query_one(bare, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "a session without TLS");
    kill(Pid::from_raw(i32::try_from(shop.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(shop.wait().unwrap().success());
    drop(administrator);
    theirs.cluster.stop().await.unwrap();
}
