//! The launcher on real data directories: start, stop, take over, keep alive.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::postgres::{ClusterAccess, ClusterError, ClusterOptions, PrivateCluster};
use estore_ops::roles::{self, RoleOptions, Service};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A place that the server's user can reach.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::Builder::new().prefix("estore-ops-").tempdir_in("/tmp").expect("a folder can be made");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("it can be opened");
    let data_dir = folder.path().join("shop");
    (folder, data_dir)
}

async fn start(data_dir: &Path) -> Result<PrivateCluster, ClusterError> {
    PrivateCluster::start(data_dir, ClusterOptions::for_tests()).await
}

async fn number(cluster: &PrivateCluster) -> i32 {
    let connection = Connection::open(&cluster.config_for("postgres", "postgres")).await.expect("it answers");
    connection.query_one("SELECT 42", &[]).await.expect("it answers").get(0)
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).expect("a pid")), signal).expect("the process is there");
}

fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn starts_stops_and_starts_again() {
    let (_folder, data_dir) = place();
    let began = Instant::now();
    let cluster = PrivateCluster::start(&data_dir, ClusterOptions::default()).await.unwrap();
    eprintln!("initdb and start: {} ms", began.elapsed().as_millis());
    assert_eq!(number(&cluster).await, 42);
    let connection = Connection::open(&cluster.config_for("postgres", "postgres")).await.unwrap();
    for (setting, expected) in
        [("data_checksums", "on"), ("listen_addresses", ""), ("fsync", "on"), ("server_encoding", "UTF8")]
    {
        let row = connection.query_one("SELECT current_setting($1)", &[&setting]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), expected, "{setting}");
    }
    connection.batch_execute("CREATE TABLE private (address text PRIMARY KEY)").await.unwrap();
    for _ in 0..2 {
        drop(connection.execute("INSERT INTO private VALUES ($1)", &[&"ann@example.org"]).await);
    }
    let pid = cluster.pid().await.unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(format!("/proc/{pid}")).unwrap());
    assert_ne!(owner, 0, "PostgreSQL does not run as root");
    cluster.stop().await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!alive(pid) && cluster.pid().await.is_none());
    let logs = fs::read_dir(data_dir.join("postgres/log")).unwrap().flatten();
    let text: String = logs.map(|log| fs::read_to_string(log.path()).unwrap()).collect();
    assert!(text.contains("duplicate key") && !text.contains("ann@"), "{text}");
    drop(cluster);
    let began = Instant::now();
    let cluster = PrivateCluster::start(&data_dir, ClusterOptions::default()).await.unwrap();
    eprintln!("start: {} ms", began.elapsed().as_millis());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_is_refused_and_a_command_attaches() {
    let (_folder, data_dir) = place();
    let cluster = start(&data_dir).await.unwrap();
    let error = start(&data_dir).await.unwrap_err();
    let expected = format!("(pid {})", std::process::id());
    assert!(matches!(error, ClusterError::InUse { .. }) && error.to_string().contains(&expected), "{error}");
    let access = ClusterAccess::open(&data_dir, ClusterOptions::for_tests()).await.unwrap();
    assert!(matches!(access, ClusterAccess::Attached(_)));
    let address = access.address();
    Connection::open(&address.config_for("postgres", "postgres")).await.unwrap();
    access.close().await.unwrap();
    assert_eq!(number(&cluster).await, 42, "closing an attached access stops nothing");
    cluster.stop().await.unwrap();
}

/// Not a test: the estore that the next one kills.
#[tokio::test]
#[ignore = "started by the test below"]
async fn victim() {
    let Some(data_dir) = std::env::var_os("ESTORE_OPS_VICTIM") else { return };
    let cluster = start(Path::new(&data_dir)).await.unwrap();
    println!("ready {}", cluster.pid().await.unwrap());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn the_orphan_of_a_killed_estore_is_stopped_and_work_goes_on() {
    let (_folder, data_dir) = place();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--ignored", "--nocapture"])
        .env("ESTORE_OPS_VICTIM", &data_dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let orphan: u32 =
        lines.map_while(Result::ok).find_map(|line| line.split_once("ready ")?.1.trim().parse().ok()).unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(alive(orphan), "the server outlives a killed estore");
    let cluster = start(&data_dir).await.unwrap();
    assert!(!alive(orphan));
    assert_eq!(number(&cluster).await, 42);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_with_a_strangers_number_is_no_obstacle() {
    let (_folder, data_dir) = place();
    let cluster = start(&data_dir).await.unwrap();
    cluster.stop().await.unwrap();
    drop(cluster);
    let stranger = std::process::id();
    let pid_file = data_dir.join("postgres/data/postmaster.pid");
    fs::write(&pid_file, format!("{stranger}\n{}\n0\n5432\n", data_dir.join("postgres/data").display())).unwrap();
    let cluster = start(&data_dir).await.unwrap();
    assert_eq!(number(&cluster).await, 42);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_started_again_while_the_shop_runs() {
    let (_folder, data_dir) = place();
    let cluster = std::sync::Arc::new(start(&data_dir).await.unwrap());
    let (shut, shutting) = tokio::sync::oneshot::channel::<()>();
    let watched = std::sync::Arc::clone(&cluster);
    let watcher = tokio::spawn(async move { watched.watch(async { drop(shutting.await) }).await });
    // A session that is busy does not notice that its server died, and keeps its memory until told.
    let busy = Connection::open(&cluster.config_for("postgres", "postgres")).await.unwrap();
    let sleeping = tokio::spawn(async move { drop(busy.batch_execute("DO $$ BEGIN LOOP END LOOP; END $$").await) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let killed = cluster.pid().await.unwrap();
    signal(killed, Signal::SIGKILL);
    let began = Instant::now();
    let back = loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Some(pid) = cluster.pid().await.filter(|pid| *pid != killed) {
            break pid;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "the server did not come back");
    };
    assert_eq!(number(&cluster).await, 42);
    eprintln!("back after {} ms", began.elapsed().as_millis());
    shut.send(()).unwrap();
    watcher.await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!alive(back));
    sleeping.abort();
}

#[tokio::test]
async fn a_cut_initdb_is_not_taken_for_a_cluster() {
    let (_folder, data_dir) = place();
    let unfinished = data_dir.join("postgres/data.unfinished");
    fs::create_dir_all(&unfinished).unwrap();
    for folder in [&data_dir, &data_dir.join("postgres")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
    }
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    let cluster = start(&data_dir).await.unwrap();
    assert_eq!(number(&cluster).await, 42);
    assert!(!unfinished.exists());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_closed_parent_folder_is_named() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let (folder, data_dir) = place();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = start(&data_dir).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ClusterError::NotTraversable { .. }), "{text}");
    assert!(text.contains(&format!("chmod o+x {}", folder.path().display())), "{text}");
}

#[tokio::test]
async fn a_deep_data_directory_works_through_a_short_socket() {
    let (_folder, data_dir) = place();
    let deep = data_dir.join("d".repeat(120));
    let cluster = start(&deep).await.unwrap();
    assert!(cluster.address().socket_dir().starts_with("/tmp"));
    assert_eq!(number(&cluster).await, 42);
    cluster.stop().await.unwrap();
    fs::remove_dir_all(cluster.address().socket_dir()).unwrap();
}

#[tokio::test]
async fn settings_that_stop_the_server_are_shown() {
    let (_folder, data_dir) = place();
    let cluster = start(&data_dir).await.unwrap();
    cluster.stop().await.unwrap();
    drop(cluster);
    fs::write(data_dir.join("postgres/data/custom.conf"), "no_such_setting = 1\n").unwrap();
    let error = start(&data_dir).await.unwrap_err().to_string();
    assert!(error.contains("no_such_setting"), "{error}");
    fs::write(data_dir.join("postgres/data/custom.conf"), "work_mem = 5MB\n").unwrap();
    let cluster = start(&data_dir).await.unwrap();
    let connection = Connection::open(&cluster.config_for("postgres", "postgres")).await.unwrap();
    assert_eq!(connection.query_one("SHOW work_mem", &[]).await.unwrap().get::<_, String>(0), "5MB");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn roles_and_databases_are_made_once_even_by_two_at_a_time() {
    let (_folder, data_dir) = place();
    let cluster = start(&data_dir).await.unwrap();
    let administrator = cluster.config_for("postgres", "postgres");
    let options = RoleOptions { server_is_ours: true, ..RoleOptions::default() };
    let began = Instant::now();
    let (first, second) =
        tokio::join!(roles::bootstrap(&administrator, &options), roles::bootstrap(&administrator, &options));
    first.unwrap();
    second.unwrap();
    eprintln!("two bootstraps: {} ms", began.elapsed().as_millis());
    let began = Instant::now();
    roles::bootstrap(&administrator, &options).await.unwrap();
    eprintln!("a bootstrap with nothing to do: {} ms", began.elapsed().as_millis());
    for service in Service::ALL {
        for role in [service.app(), service.writer()] {
            let connection = Connection::open(&cluster.config_for(service.database(), role)).await.unwrap();
            assert!(connection.batch_execute("CREATE TABLE mine (a int)").await.is_err());
            assert!(connection.batch_execute("CREATE TEMP TABLE mine (a int)").await.is_err());
            for closed in ["postgres", "template1"] {
                assert!(Connection::open(&cluster.config_for(closed, role)).await.is_err(), "{closed}");
            }
        }
        assert!(Connection::open(&cluster.config_for(service.database(), service.owner())).await.is_err());
        let monitor = Connection::open(&cluster.config_for(service.database(), roles::MONITOR)).await.unwrap();
        monitor.query("SELECT query FROM pg_stat_statements LIMIT 1", &[]).await.unwrap();
    }
    assert!(Connection::open(&cluster.config_for("estore_users", "estore_payments_app")).await.is_err());
    let admin = Connection::open(&administrator).await.unwrap();
    let sql = "SELECT string_agg(rolname, ',') FROM pg_roles
               WHERE rolname LIKE 'estore_%' AND (rolsuper OR rolcreaterole OR rolcreatedb
                   OR (rolbypassrls AND rolname <> 'estore_backup'))";
    assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, Option<String>>(0), None);
    let url = cluster.url_for("estore_users", "estore_users_app");
    let psql = Command::new("psql").args([&url, "-Atc", "SELECT current_user"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&psql.stdout).trim(), "estore_users_app");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn passwords_reach_the_server_only_as_verifiers() {
    let (_folder, data_dir) = place();
    let cluster = start(&data_dir).await.unwrap();
    let administrator = cluster.config_for("postgres", "postgres");
    let mut options = RoleOptions { services: vec![Service::Users], ..RoleOptions::default() };
    options.passwords.insert("estore_users_app".to_owned(), "s3cret 'quoted'".into());
    options.passwords.insert("estore_users_owner".to_owned(), "owner".into());
    assert!(!format!("{options:?}").contains("s3cret"));
    let admin = Connection::open(&administrator).await.unwrap();
    admin.batch_execute("ALTER SYSTEM SET log_statement = 'all'; ").await.unwrap();
    admin.execute("SELECT pg_reload_conf()", &[]).await.unwrap();
    // The server reads its settings when it comes to it.
    loop {
        let asking = Connection::open(&administrator).await.unwrap();
        if asking.query_one("SHOW log_statement", &[]).await.unwrap().get::<_, String>(0) == "all" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    roles::bootstrap(&administrator, &options).await.unwrap();
    let sql = "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'estore_users_app'";
    assert!(admin.query_one(sql, &[]).await.unwrap().get::<_, bool>(0));
    Connection::open(&cluster.config_for("estore_users", "estore_users_owner")).await.unwrap();
    let sql = "SELECT string_agg(datname, ',') FROM pg_database WHERE datname LIKE 'estore_%'";
    assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, String>(0), "estore_users");
    cluster.stop().await.unwrap();
    let logs = fs::read_dir(data_dir.join("postgres/log")).unwrap().flatten();
    let text: String = logs.map(|log| fs::read_to_string(log.path()).unwrap()).collect();
    assert!(text.contains("ALTER ROLE") && !text.contains("s3cret"));
    options.passwords.insert("somebody".to_owned(), "x".into());
    assert!(roles::bootstrap(&administrator, &options).await.unwrap_err().to_string().contains("somebody"));
}

#[tokio::test]
async fn a_command_waits_for_a_server_that_is_starting() {
    let (_folder, data_dir) = place();
    let (options, mut attached) = (ClusterOptions::for_tests(), None);
    let started = async { PrivateCluster::start(&data_dir, options.clone()).await.unwrap() };
    let command = async {
        // From here on the data directory is taken, and the server still to come.
        while !data_dir.join("lock").exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        attached = Some(ClusterAccess::open(&data_dir, options.clone()).await.unwrap());
    };
    let (cluster, ()) = tokio::join!(started, command);
    assert!(matches!(attached, Some(ClusterAccess::Attached(_))));
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_is_left_alone() {
    let (_folder, data_dir) = place();
    let data = data_dir.join("postgres/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "99\n").unwrap();
    let error = start(&data_dir).await.unwrap_err().to_string();
    assert!(error.contains("postgresql-99") && error.contains("found only 1"), "{error}");
}
