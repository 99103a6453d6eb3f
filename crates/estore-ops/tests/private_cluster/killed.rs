//! The server of a killed estore is stopped, and a killed server is started again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::setup::{alive, number, place, start};

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).expect("a pid")), signal).expect("the process is there");
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
        .args(["--exact", "killed::victim", "--ignored", "--nocapture"])
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
