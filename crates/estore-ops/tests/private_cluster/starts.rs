//! A server starts, stops and starts again; whoever comes meanwhile is refused, waits or attaches.

use std::fs;
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::postgres::{ClusterAccess, ClusterError, ClusterOptions, PrivateCluster};

use crate::setup::{alive, number, place, start};

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
