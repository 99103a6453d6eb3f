//! Recovery to any moment: a table is dropped while orders flow, and every order up to that instant comes back.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use estore_ops::pitr::archive_status;
use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// The binary under test.
const ESTORE: &str = env!("CARGO_BIN_EXE_estore");
/// Buyers at once.
const BUYERS: usize = 6;
/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// What may be lost at most, by the default settings.
const RPO_SECONDS_MAX: i64 = 60;

/// A shop whose log is archived.
struct Archived {
    shop: Shop,
    folder: TempDir,
}

impl Archived {
    /// Set up while the shop stands still, so that archiving begins at once.
    async fn start() -> Self {
        let mut archived = Self::not_yet().await;
        assert!(archived.shop.stop());
        let out = archived.set_up();
        assert!(out.contains("works") && !out.contains("RESTART"), "{out}");
        archived.shop.start_processes().await;
        archived
    }

    async fn not_yet() -> Self {
        let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
        Self { shop, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn set_up(&self) -> String {
        self.shop.estore(&["backup", "pitr", "setup", "--repository", &self.path("archive")], "")
    }

    fn passphrase(&self) -> String {
        self.shop.address.data_dir.join("secrets/pitr-passphrase").to_str().unwrap().to_owned()
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.shop.estore(&[words, &["--json"]].concat(), "")).unwrap()
    }

    /// `estore backup restore --to` into a new data directory.
    fn restore(&self, to: &str, name: &str) -> (bool, String) {
        let (repository, passphrase) = (self.path("archive"), self.passphrase());
        self.restore_with(to, name, (&repository, &passphrase))
    }

    fn restore_with(&self, to: &str, name: &str, (repository, passphrase): (&str, &str)) -> (bool, String) {
        let output = std::process::Command::new(ESTORE)
            .args(["backup", "restore", "--to", to, "--repository", repository, "--passphrase", passphrase])
            .args(["--json", "--data-dir", &self.path(name)])
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Stops the shop, and goes on as the one that was brought back, with the secrets that were kept elsewhere.
    async fn go_on_as(&mut self, name: &str) {
        self.shop.stop();
        let place = Path::new(&self.path(name)).to_owned();
        let secrets = place.join("secrets");
        std::fs::create_dir(&secrets).unwrap();
        for secret in std::fs::read_dir(self.shop.address.data_dir.join("secrets")).unwrap() {
            let secret = secret.unwrap();
            std::fs::copy(secret.path(), secrets.join(secret.file_name())).unwrap();
        }
        self.shop.address.data_dir = place;
        self.shop.start_processes().await;
    }

    async fn now(&self) -> Timestamp {
        let payments = self.shop.database(Service::Payments).await;
        payments.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0)
    }

    /// Every order of the shop, with how often it is there and its state.
    async fn orders(&self) -> BTreeMap<i64, (i64, String)> {
        let payments = self.shop.database(Service::Payments).await;
        let sql = "SELECT id::bigint, count(*), min(status::text) FROM orders GROUP BY id";
        let rows = payments.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
    }
}

/// Customers who order until told to stop, or until the shop cannot; answers what each was answered, and when.
async fn buyers(shop: &Shop, stop: &Arc<AtomicBool>) -> JoinSet<Vec<(i64, Timestamp)>> {
    let admin = Client::admin(shop).await;
    let mut set = JoinSet::new();
    for _ in 0..BUYERS {
        let product = admin.product(500, 1_000_000).await;
        let buyer = Client::customer(shop).await;
        let (card, stop) = (buyer.card(CARD_APPROVED).await, Arc::clone(stop));
        set.spawn(async move {
            let mut book = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = buyer.order(&format!("{}-{}", buyer.email, book.len()), product, 1, card).await;
                if answer.status != 201 {
                    break;
                }
                book.push((answer.id(), Timestamp::now()));
            }
            book
        });
    }
    set
}

async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come about within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_up_to_a_dropped_table_comes_back() {
    let mut archived = Archived::not_yet().await;
    let out = archived.set_up();
    assert!(out.contains("RESTART"), "a running server takes it up at its next start: {out}");
    let (ok, _, said) = archived.shop.try_estore(&["backup", "pitr", "create"], "");
    assert!(!ok && said.contains("restart estore"), "{said}");
    assert!(archived.shop.stop());
    archived.shop.start_processes().await;
    let status = archived.json(&["backup", "pitr", "check"]);
    assert_eq!((status["is_on"].as_bool(), status["timeout_seconds"].as_i64()), (Some(true), Some(30)));
    archived.shop.estore(&["backup", "pitr", "create"], "");

    let stop = Arc::new(AtomicBool::new(false));
    let buying = buyers(&archived.shop, &stop).await;
    // From one segment that is sent because its time has come to the next: what would be lost just before it is.
    let server = archived.shop.database(Service::Payments).await;
    let sent = async |after: i64| {
        wait_for("a segment that is sent in time", async || {
            let status = archive_status(&server).await.unwrap();
            (status.archived_count > after).then_some(status)
        })
        .await
    };
    let first = sent(archive_status(&server).await.unwrap().archived_count).await;
    let diff = archived.json(&["backup", "pitr", "create", "--type", "diff"]);
    assert_eq!(diff["kind"], "differential");
    let before = sent(first.archived_count).await;
    let after = sent(before.archived_count).await;
    let gap = after.last_archived_at.unwrap().as_second() - before.last_archived_at.unwrap().as_second();
    println!("RPO under load: at most {gap} s from one segment to the next");
    assert!(gap <= RPO_SECONDS_MAX, "{gap} s");

    // It waits for the buyers' locks, and may be the one that gives way.
    let instant = wait_for("a dropped table", async || {
        let instant = archived.now().await;
        server.batch_execute("DROP TABLE orders CASCADE").await.is_ok().then_some(instant)
    })
    .await;
    drop(server);
    let books: Vec<(i64, Timestamp)> = buying.join_all().await.into_iter().flatten().collect();
    stop.store(true, Ordering::Relaxed);
    let lost_without = archived.json(&["backup", "pitr", "info"]);
    let end: Timestamp = lost_without["ends_at"].as_str().unwrap().parse().unwrap();
    println!("archived by itself up to {} s before the drop", instant.as_second() - end.as_second());
    assert!(instant.as_second() - end.as_second() <= RPO_SECONDS_MAX);
    archived.shop.estore(&["backup", "pitr", "check"], "");

    let begun = Instant::now();
    let (ok, said) = archived.restore(&instant.to_string(), "restored");
    assert!(ok, "{said}");
    println!("RTO: {:?} with the replay of {} orders", begun.elapsed(), books.len());
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(said["committed_at"].as_str().unwrap().parse::<Timestamp>().unwrap() <= instant, "{said}");

    archived.go_on_as("restored").await;
    let verified = async || archived.shop.try_estore(&["verify"], "").0.then_some(());
    wait_for("a shop whose every promise is kept", verified).await;
    let orders = archived.orders().await;
    let answered: Vec<i64> = books.iter().filter(|(_, at)| *at < instant).map(|(id, _)| *id).collect();
    assert!(answered.len() > BUYERS, "{} orders were answered before the drop", answered.len());
    for id in &answered {
        assert_eq!(orders.get(id), Some(&(1, "paid".to_owned())), "order {id} was answered before {instant}");
    }
    let under_way = orders.len() - answered.len();
    assert!(under_way <= BUYERS, "{under_way} more than were answered, by {BUYERS} buyers");
    println!("{} orders answered before the drop are there once each, {under_way} were under way", answered.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_places_in_the_log_and_what_lies_outside() {
    let mut archived = Archived::start().await;
    let (admin, buyer) = (Client::admin(&archived.shop).await, Client::customer(&archived.shop).await);
    let (product, card) = (admin.product(700, 50).await, buyer.card(CARD_APPROVED).await);
    let order = async |key: &str| buyer.order(key, product, 1, card).await.expect(201).id();
    let first = order("first").await;
    let mark = archived.json(&["backup", "mark", "after-the-first"]);
    let (ok, _, said) = archived.shop.try_estore(&["backup", "mark", "after-the-first"], "");
    assert!(!ok && said.contains("there is one of that name"), "{said}");
    let second = order("second").await;
    let payments = archived.shop.database(Service::Payments).await;
    let lsn: String = payments.query_one("SELECT pg_current_wal_insert_lsn()::text", &[]).await.unwrap().get(0);
    let third = order("third").await;
    drop(payments);

    let window = archived.json(&["backup", "pitr", "info"]);
    assert_eq!(window["marks"][0]["name"], "after-the-first");
    assert_eq!(window["bases"][0]["kind"], "full");
    // What is not archived yet cannot be brought back, and is told before anything is begun.
    for (to, reason) in [
        (Timestamp::now().to_string(), "the last transaction that is archived"),
        ("FFFF/0".to_owned(), "the end of what is archived"),
        ("2020-01-01T00:00:00Z".to_owned(), "no base backup was whole before it"),
        ("before-the-first".to_owned(), "there is no mark of that name"),
        ("yesterday at noon".to_owned(), "a time with its zone"),
    ] {
        let (ok, said) = archived.restore(&to, "refused");
        assert!(!ok && said.contains(reason), "{to}: {said}");
        assert!(!Path::new(&archived.path("refused")).exists(), "{to}");
    }
    archived.shop.estore(&["backup", "pitr", "check"], "");
    archived.shop.stop();

    for (to, name, wanted) in [
        ("after-the-first", "at-mark", vec![first]),
        (mark["lsn"].as_str().unwrap(), "at-mark-lsn", vec![first]),
        (lsn.as_str(), "at-lsn", vec![first, second]),
        ("latest", "at-end", vec![first, second, third]),
    ] {
        let (ok, said) = archived.restore(to, name);
        assert!(ok, "{to}: {said}");
        let (ok, said) = archived.restore(to, name);
        assert!(!ok && said.contains("already holds a PostgreSQL"), "{said}");
        let home = Path::new(&archived.path(name)).to_owned();
        assert!(!home.join("postgres/archive").exists() && !home.join("restoring").exists());
        let settings = std::fs::read_to_string(home.join("postgres/data/postgresql.auto.conf")).unwrap();
        assert!(!settings.contains("recovery") && !settings.contains("archive"), "{settings}");
        archived.go_on_as(name).await;
        assert_eq!(archived.orders().await.into_keys().collect::<Vec<_>>(), wanted, "{to}");
        archived.shop.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_is_closed_to_others_and_is_one_shops_alone() {
    let archived = Archived::start().await;
    let configuration = archived.shop.address.data_dir.join("postgres/archive/pgbackrest.conf");
    for secret in [&configuration, Path::new(&archived.passphrase())] {
        let mode = std::fs::metadata(secret).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", secret.display());
    }
    let mut segments = 0;
    let mut folders = vec![Path::new(&archived.path("archive")).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "zst") {
                segments += 1;
                assert!(std::fs::read(&path).unwrap().starts_with(b"Salted__"), "{} is readable", path.display());
            }
        }
    }
    assert!(segments > 100, "{segments} files were looked at");

    let wrong = archived.path("wrong-passphrase");
    std::fs::write(&wrong, "not-the-passphrase\n").unwrap();
    let (ok, said) = archived.restore_with("latest", "new", (&archived.path("archive"), &wrong));
    assert!(!ok && said.contains("pgBackRest cannot tell what it keeps"), "{said}");
    assert!(!Path::new(&archived.path("new")).exists());

    let other = Archived::not_yet().await;
    let words = ["backup", "pitr", "setup", "--repository", &archived.path("archive")];
    let (ok, _, said) = other.shop.try_estore(&words, "");
    assert!(!ok && said.contains("the history of another server"), "{said}");
    let (ok, _, said) = other.shop.try_estore(&["backup", "pitr", "info"], "");
    assert!(!ok && said.contains("estore backup pitr setup"), "{said}");
    archived.set_up();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_fails_is_told_and_the_shop_sells_on() {
    let archived = Archived::start().await;
    let doctor = |wanted: bool| {
        let (_, out, _) = archived.shop.try_estore(&["doctor", "--json"], "");
        let told: Value = serde_json::from_str(&out).unwrap();
        let findings = told["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["what"] == "archive of the log").unwrap().clone();
        (finding["ok"].as_bool() == Some(wanted)).then_some(finding)
    };
    assert!(doctor(true).is_some());
    let archive = Path::new(&archived.path("archive")).join("archive");
    let aside = archive.with_extension("aside");
    // As a disk that is gone, or full: nothing can be written there.
    std::fs::rename(&archive, &aside).unwrap();
    std::fs::write(&archive, "").unwrap();
    let payments = archived.shop.database(Service::Payments).await;
    let (admin, buyer) = (Client::admin(&archived.shop).await, Client::customer(&archived.shop).await);
    let (product, card) = (admin.product(700, 50).await, buyer.card(CARD_APPROVED).await);
    let _sold = buyer.order("while-it-fails", product, 1, card).await.expect(201);
    payments.query("SELECT pg_switch_wal()", &[]).await.unwrap();
    let finding = wait_for("a finding of the doctor", async || doctor(false)).await;
    println!("{finding}");
    assert!(finding["told"].as_str().unwrap().contains("could not be sent"));
    let _sold = buyer.order("while-it-still-fails", product, 1, card).await.expect(201);

    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&aside, &archive).unwrap();
    wait_for("an archive that works again", async || doctor(true)).await;
    let status = archive_status(&payments).await.unwrap();
    assert_eq!((status.waiting, status.is_failing()), (0, false), "nothing of it is lost: {status:?}");
}

#[test]
fn on_a_postgresql_of_ones_own_the_commands_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(ESTORE);
    for service in ["USERS", "INVENTORY", "PAYMENTS"] {
        command.env(format!("ESTORE_DATABASES__{service}__URL"), "postgresql://app@db.example/estore");
    }
    command.args(["backup", "pitr", "setup", "--repository", "/srv/archive", "--data-dir"]).arg(folder.path());
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}");
    for line in ["repo1-path=/srv/archive", "archive_mode = on", "stanza-create", "needs a restart"] {
        assert!(out.contains(line), "{out}");
    }
}
