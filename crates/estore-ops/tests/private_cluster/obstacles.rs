//! What lies in the way of a start is passed by, or named.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use estore_ops::connection::Connection;
use estore_ops::postgres::ClusterError;

use crate::setup::{number, place, start};

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
async fn a_cluster_of_another_version_is_left_alone() {
    let (_folder, data_dir) = place();
    let data = data_dir.join("postgres/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "99\n").unwrap();
    let error = start(&data_dir).await.unwrap_err().to_string();
    assert!(error.contains("postgresql-99") && error.contains("found only 1"), "{error}");
}
