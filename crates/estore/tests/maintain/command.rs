//! The command on a whole shop: what is due, by need, within the window, stopped by a signal.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio_postgres::NoTls;

const ESTORE: &str = env!("CARGO_BIN_EXE_estore");

async fn connect(shop: &Shop, database: &str) -> tokio_postgres::Client {
    let url = shop.estore(&["db", "url", database], "");
    let (client, connection) = tokio_postgres::connect(url.trim(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Keeps keys for a shorter time than the shop does, which would else purge them first.
fn maintain(shop: &Shop, words: &[&str]) -> (bool, Value) {
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&config, "[payments]\nkeys_kept_hours = 24\n").unwrap();
    let first = ["--config", config.path().to_str().unwrap(), "db", "maintain", "--json"];
    let (ok, out, err) = shop.try_estore(&[&first, words].concat(), "");
    (ok, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

/// Waits until the session of some server process that `is_meant` is as urgent as that, where the system shares processor
/// time among sessions. Not for a session in a transaction: what it sees of others stays as it was.
async fn is_less_urgent(database: &tokio_postgres::Client, is_meant: &str, niceness: i32) {
    if !Path::new("/proc/self/autogroup").exists() {
        return eprintln!(
            "skipped: this system does not share processor time among sessions, so nothing is to be seen"
        );
    }
    let sql = format!("SELECT pid FROM pg_stat_activity WHERE {is_meant}");
    for _ in 0..600 {
        let pids = database.query(&sql, &[]).await.unwrap();
        let group = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/autogroup")).unwrap_or_default();
        if pids.iter().any(|row| group(row.get(0)).trim_end().ends_with(&format!(" nice {niceness}"))) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no process where {is_meant} has niceness {niceness}");
}

fn targets(report: &Value) -> Vec<String> {
    let actions = report["actions"].as_array().unwrap();
    actions
        .iter()
        .map(|action| format!("{} {}", action["verb"].as_str().unwrap(), action["target"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_told_and_done_beside_a_running_shop() {
    let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
    let payments = connect(&shop, "payments").await;
    // Kept long enough, in more than one batch; and half of an index.
    let keys =
        "INSERT INTO idempotency_keys (user_id, key, request_hash, resource_id, state, answer_status, answer_body,
            created_at, finished_at)
        SELECT 7, 'old ' || n, sha256('x'), gen_random_uuid(), 'finished', 201, 'x', now() - interval '30 hours', now()
        FROM generate_series(1, 2500) n";
    payments.batch_execute(keys).await.unwrap();
    payments.batch_execute("BEGIN; INSERT INTO partitions_let_go VALUES ('x', 'x', now(), 'dropped')").await.unwrap();
    let other = connect(&shop, "payments").await;
    other.batch_execute("SET lock_timeout = '50ms'").await.unwrap();
    other.batch_execute("REINDEX INDEX CONCURRENTLY partitions_let_go_pkey").await.unwrap_err();
    payments.batch_execute("ROLLBACK").await.unwrap();

    let (ok, due) = maintain(&shop, &["--dry-run", "--only", "purge,reindex", "--database", "payments"]);
    assert!(ok);
    assert_eq!(targets(&due), ["purge keys", "drop index partitions_let_go_pkey_ccnew"]);
    assert_eq!(due["actions"][0]["ending"], "planned");
    assert!(due["actions"][0]["why"].as_str().unwrap().starts_with("2500 rows"), "{due}");

    let buyer = Client::customer(&shop).await;
    let (product, card) = (Client::admin(&shop).await.product(500, 100).await, buyer.card(CARD_APPROVED).await);
    let (ok, done) = maintain(&shop, &["--now"]);
    assert!(ok, "{done:#}");
    assert!(targets(&done).contains(&"purge keys".to_owned()), "{done:#}");
    let left = payments.query_one("SELECT count(*) FROM idempotency_keys WHERE key LIKE 'old %'", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
    assert_eq!(buyer.order("after-it", product, 1, card).await.status, 201);
    let (ok, again) = maintain(&shop, &["--now", "--only", "partitions,purge,reindex"]);
    assert!(ok && targets(&again).is_empty(), "{again:#}");
    let (ok, said, _) = shop.try_estore(&["verify"], "");
    assert!(ok, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_its_window_nothing_is_done() {
    let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
    // The one minute that is not now.
    let hour = jiff::Zoned::now().checked_add(jiff::SignedDuration::from_hours(2)).unwrap().strftime("%H").to_string();
    let run = |window: &str| {
        let command = ["db", "maintain", "--data-dir", shop.address.data_dir.to_str().unwrap()];
        let output = Command::new(ESTORE).args(command).env("ESTORE_MAINTENANCE__WINDOW", window).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (ok, said) = run(&format!("{hour}:00-{hour}:01"));
    assert!(!ok && said.contains("nothing was done") && said.contains("--now"), "{said}");
    let (ok, said) = run("always");
    assert!(ok, "{said}");
    let (ok, said) = run("by night");
    assert!(!ok && said.contains("01:00-06:00"), "the mend is told: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_it_and_leaves_nothing() {
    let shop = Shop::start(Path::new(ESTORE), Processes::One).await;
    let inventory = connect(&shop, "inventory").await;
    // An index that somebody wanted and that cannot be finished while somebody writes.
    let wanted = "CREATE INDEX CONCURRENTLY wanted ON import_rows (name)";
    inventory.batch_execute("BEGIN; LOCK TABLE import_rows IN ROW EXCLUSIVE MODE").await.unwrap();
    let builder = connect(&shop, "inventory").await;
    builder.batch_execute("SET lock_timeout = '50ms'").await.unwrap();
    builder.batch_execute(wanted).await.unwrap_err();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut child = Command::new(ESTORE)
            .args(["db", "maintain", "--now", "--only", "reindex", "--database", "inventory", "--data-dir"])
            .arg(&shop.address.data_dir)
            .env("ESTORE_MAINTENANCE__LOCK_SECONDS_MAX", "600")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("estore_inventory: ") && first.contains(" wanted"), "{first}");
        is_less_urgent(&builder, "application_name = 'estore maintain'", 15).await;
        is_less_urgent(&builder, "usename LIKE 'estore_inventory%'", 5).await;
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let said: Vec<String> = lines.map_while(Result::ok).collect();
        let status = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(1), "{said:?}");
        assert!(said.iter().any(|line| line.contains("reindex wanted: stopped after")), "{said:?}");
        assert!(said.last().unwrap().ends_with("stopped."), "{said:?}");
    }
    inventory.batch_execute("ROLLBACK").await.unwrap();
    let (ok, report) = maintain(&shop, &["--now", "--only", "reindex", "--database", "inventory"]);
    assert!(ok, "{report:#}");
    let broken = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    let count: i64 = inventory.query_one(broken, &[]).await.unwrap().get(0);
    assert_eq!(count, 0);
}
