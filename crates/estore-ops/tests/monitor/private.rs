//! The private PostgreSQL: its log holds what is slow and what failed, and no value; statistics that begin anew are noticed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use estore_ops::connection::Connection;
use estore_ops::monitor::concern::concerns;
use estore_ops::monitor::log::read_log;
use estore_ops::monitor::reading::{look_of, read};
use estore_ops::monitor::report::report;
use estore_ops::monitor::statement::Names;
use estore_ops::monitor::{Looks, Seen};
use estore_ops::postgres::{ClusterOptions, PrivateCluster};
use estore_ops::roles::{self, RoleOptions, Service};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::setup::{number, psql, question};

const FILE: &str = "-- Finds somebody.\nSELECT id FROM people WHERE email = $1 AND pg_sleep(0.01) IS NOT NULL\n";

/// A cluster of the test's own, with settings of its own.
async fn cluster(custom: &str) -> (TempDir, PathBuf, PrivateCluster) {
    let folder = tempfile::Builder::new().prefix("estore-ops-").tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let data_dir = folder.path().join("shop");
    let cluster = PrivateCluster::start(&data_dir, ClusterOptions::for_tests()).await.unwrap();
    let options = RoleOptions { server_is_ours: true, services: vec![Service::Users], ..RoleOptions::default() };
    roles::bootstrap(&cluster.config_for("postgres", "postgres"), &options).await.unwrap();
    if custom.is_empty() {
        return (folder, data_dir, cluster);
    }
    cluster.stop().await.unwrap();
    drop(cluster);
    fs::write(data_dir.join("postgres/data/custom.conf"), custom).unwrap();
    let cluster = PrivateCluster::start(&data_dir, ClusterOptions::for_tests()).await.unwrap();
    (folder, data_dir, cluster)
}

/// Waits for what comes a little later, 30 seconds at most.
async fn until(has_come: impl Fn() -> bool) {
    for _ in 0..600 {
        if has_come() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_log_tells_what_was_slow_and_what_failed_and_no_value() {
    // All statements count as slow, and all plans are written: as an operator may ask for.
    let custom = "log_min_duration_statement = 0\nlog_temp_files = 0\nauto_explain.log_min_duration = 0\n";
    let (_folder, data_dir, cluster) = cluster(custom).await;
    let begun = Timestamp::now();
    let admin = Connection::open(&cluster.config_for("estore_users", "postgres")).await.unwrap();
    let sql = "SET auto_explain.log_min_duration = -1; CREATE TABLE people (id serial PRIMARY KEY, email text UNIQUE)";
    admin.batch_execute(sql).await.unwrap();
    for expected in [true, false] {
        let inserted = admin.execute("INSERT INTO people (email) VALUES ($1)", &[&"ann@example.org"]).await;
        assert_eq!(inserted.is_ok(), expected);
    }
    admin.query(FILE, &[&"ann@example.org"]).await.unwrap();
    let stranger = Command::new("psql")
        .arg(cluster.url_for("estore_users", "nobody_at_all"))
        .args(["-c", "SELECT 1"])
        .output()
        .unwrap();
    assert!(!stranger.status.success());
    let text = || {
        let logs = fs::read_dir(PrivateCluster::log_folder(&data_dir)).unwrap().flatten();
        logs.map(|log| fs::read_to_string(log.path()).unwrap()).collect::<String>()
    };
    // The server's collector writes what it is told a little later.
    until(|| text().contains("\"nobody_at_all\" does not exist")).await;
    assert!(text().contains("Finds somebody") && text().contains("duplicate key"), "{}", text());
    assert!(!text().contains("ann@example.org"), "{}", text());
    let names = Names::of([("shop/find_somebody", FILE)]);
    let told = read_log(&PrivateCluster::log_folder(&data_dir), begun, &names).unwrap();
    assert_eq!(told.unreadable_lines, 0);
    let slow = told.slow.iter().find(|one| one.name.as_deref() == Some("shop/find_somebody")).unwrap();
    assert!(slow.max_us >= 10_000 && slow.database.as_deref() == Some("estore_users"), "{slow:?}");
    assert!(told.errors.iter().any(|one| one.state == "23505" && one.count == 1), "{:?}", told.errors);
    let failed = &told.failed_logins[0];
    assert_eq!((failed.role.as_str(), failed.database.as_str(), failed.count), ("nobody_at_all", "estore_users", 1));
    // Plans hold values, so they are not written unless somebody asks; what is told of them holds none.
    admin
        .batch_execute("SET auto_explain.log_min_duration = 0; SET plan_cache_mode = force_custom_plan")
        .await
        .unwrap();
    admin.query(FILE, &[&"ann@example.org"]).await.unwrap();
    until(|| text().contains("ann@example.org")).await;
    assert!(text().contains("ann@example.org"), "which is why it is off");
    let told = read_log(&PrivateCluster::log_folder(&data_dir), begun, &names).unwrap();
    assert!(told.plans.iter().any(|plan| plan.name.as_deref() == Some("shop/find_somebody")), "{:?}", told.plans);
    assert!(!serde_json::to_string(&told).unwrap().contains("ann@example.org"));
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_shop_s_server_writes_by_itself() {
    let (_folder, data_dir, cluster) = cluster("").await;
    let url = cluster.url_for("estore_users", "postgres");
    for (setting, expected) in [
        ("auto_explain.log_min_duration", "-1"),
        ("pg_stat_statements.track_utility", "off"),
        ("log_min_duration_statement", "1s"),
        ("log_destination", "stderr"),
        ("log_error_verbosity", "terse"),
        ("log_rotation_size", "16MB"),
    ] {
        assert_eq!(psql(&url, &format!("SHOW {setting}")), [[expected]], "{setting}");
    }
    // A password that somebody types is in no statistics.
    psql(&url, "ALTER ROLE estore_readonly PASSWORD 'hush-hush'");
    assert_eq!(number(&psql(&url, "SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%hush%'")), 0);
    cluster.stop().await.unwrap();
    let told = read_log(&PrivateCluster::log_folder(&data_dir), Timestamp::UNIX_EPOCH, &Names::default()).unwrap();
    assert!(told.until.is_some() && told.unreadable_lines == 0, "{told:?}");
}

#[tokio::test]
async fn statistics_that_begin_anew_are_noticed() {
    let (folder, _data_dir, cluster) =
        cluster("archive_mode = on\narchive_command = 'false'\nwal_level = replica\n").await;
    let (url, names) = (cluster.url_for("estore_users", "postgres"), Names::default());
    let looks = Looks::of(folder.path());
    let question = question(cluster.config_for("estore_users", "estore_monitor"), &names, 35);
    psql(&url, "SELECT 'before' FROM generate_series(1, 10)");
    let then = look_of(&read(&question).await, Timestamp::now());
    psql(&url, "SELECT pg_stat_statements_reset()");
    psql(&url, "SELECT 'after' FROM generate_series(1, 10)");
    let told = report(read(&question).await, &question, Some(&then), &looks, Timestamp::now());
    let ranking = told.databases[0].statements.as_ref().unwrap().seen().unwrap();
    assert!(ranking.was_reset && ranking.since > then.taken_at);
    assert_eq!(
        ranking.since.as_second(),
        number(&psql(&url, "SELECT floor(extract(epoch FROM stats_reset))::bigint FROM pg_stat_statements_info"))
    );
    // Archiving that fails, a slot, and somebody who follows.
    psql(&url, "SELECT pg_create_physical_replication_slot('kept', true)");
    let stream = folder.path().join("stream");
    fs::create_dir(&stream).unwrap();
    let mut follower = Command::new(cluster.binaries().program("pg_receivewal"))
        .args(["--no-loop", "--dbname", &url, "--directory"])
        .arg(&stream)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    psql(&url, "SELECT pg_switch_wal()");
    let sql = "SELECT (SELECT failed_count FROM pg_stat_archiver) > 0 AND EXISTS (SELECT FROM pg_stat_replication)";
    while psql(&url, sql) != [["t"]] {
        assert!(follower.try_wait().unwrap().is_none(), "pg_receivewal ended");
        tokio::task::yield_now().await;
    }
    let told = report(read(&question).await, &question, None, &looks, Timestamp::now());
    let Some(Seen::Yes(replication)) = &told.servers[0].wholes.replication else { panic!("{:?}", told.servers) };
    assert!(replication.archiving.is_failing && replication.archiving.waiting >= Some(1), "{replication:?}");
    let waiting = number(&psql(&url, "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"));
    assert_eq!(replication.archiving.waiting, Some(waiting));
    assert_eq!(
        replication.archiving.failed_last.as_ref(),
        psql(&url, "SELECT last_failed_wal FROM pg_stat_archiver")[0].first()
    );
    assert_eq!(replication.standbys[0].standby, "pg_receivewal");
    assert_eq!((replication.slots[0].name.as_str(), replication.slots[0].active), ("kept", false));
    let kept = number(&psql(
        &url,
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots",
    ));
    assert!(replication.slots[0].kept_bytes.unwrap() <= kept);
    assert!(concerns(&told, None).iter().any(|concern| concern.what.contains("archiving fails")));
    follower.kill().unwrap();
    follower.wait().unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_the_library_is_told_the_mend() {
    let (folder, _data_dir, cluster) = cluster("shared_preload_libraries = ''\n").await;
    let names = Names::default();
    let question = question(cluster.config_for("estore_users", "estore_monitor"), &names, 35);
    let told = report(read(&question).await, &question, None, &Looks::of(folder.path()), Timestamp::now());
    let Some(Seen::No(unseen)) = &told.databases[0].statements else { panic!("{:?}", told.databases) };
    assert!(unseen.mend.contains("shared_preload_libraries = 'pg_stat_statements'"), "{unseen:?}");
    assert!(told.databases[0].tables.as_ref().unwrap().seen().is_some());
    cluster.stop().await.unwrap();
}
