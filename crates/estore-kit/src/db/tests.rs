//! Against a server that is a script: what it says, and when it goes silent.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_postgres::Config;

use super::{Db, DbError};

const SILENT_MAX: Duration = Duration::from_millis(400);
/// Authentication is done; ready for query.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
/// An empty query was done.
const DONE: &[u8] = b"I\0\0\0\x04Z\0\0\0\x05I";
/// Half of that.
const HALF_DONE: &[u8] = b"I\0\0\0\x04Z\0\0";

/// A server whose connections answer `answers` queries each, then half of one, and then nothing.
fn server(folder: &std::path::Path, answers: usize) {
    let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, answers));
        }
    });
}

async fn serve(mut stream: UnixStream, answers: usize) {
    let mut buffer = [0; 4096];
    let mut answered = 0;
    let mut said: &[u8] = WELCOME;
    while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
        drop(stream.write_all(said).await);
        said = match answered {
            at if at < answers => DONE,
            at if at == answers => HALF_DONE,
            _ => b"",
        };
        answered += 1;
    }
}

fn db(folder: &std::path::Path) -> Db {
    let mut config = Config::new();
    config.host_path(folder).user("somebody");
    Db::with_patience(config, 2, SILENT_MAX).unwrap()
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_of_an_answer_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    server(folder.path(), 1);
    let db = db(folder.path());
    let client = db.client().await.unwrap();
    client.batch_execute("").await.unwrap();
    let begun = Instant::now();
    let error = DbError::from(client.batch_execute("").await.unwrap_err());
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
    assert!(begun.elapsed() >= SILENT_MAX, "after {:?}", begun.elapsed());
    drop(client);
    // Its slot in the pool has a fresh connection.
    let fresh = [db.client().await.unwrap(), db.client().await.unwrap()];
    for client in &fresh {
        client.batch_execute("").await.unwrap();
    }
}

#[tokio::test]
async fn nobody_who_owes_nothing_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    server(folder.path(), 100);
    let db = db(folder.path());
    let client = db.client().await.unwrap();
    for _ in 0..3 {
        client.batch_execute("").await.unwrap();
        tokio::time::sleep(SILENT_MAX * 2).await;
        assert!(!client.is_closed());
    }
}

/// A request that went away leaves its question open: the connection must not lie in the pool for ever.
#[tokio::test]
async fn a_question_that_nobody_waits_for_is_given_up_too() {
    let folder = tempfile::tempdir().unwrap();
    server(folder.path(), 0);
    let db = db(folder.path());
    let client = db.client().await.unwrap();
    drop(tokio::time::timeout(Duration::from_millis(50), client.batch_execute("")).await);
    let begun = Instant::now();
    while !client.is_closed() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is never given up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_lay_idle_when_another_fell_silent_is_not_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    server(folder.path(), 1);
    let db = db(folder.path());
    let (one, other) = (db.client().await.unwrap(), db.client().await.unwrap());
    other.batch_execute("").await.unwrap();
    drop(other);
    one.batch_execute("").await.unwrap();
    one.batch_execute("").await.unwrap_err();
    drop(one);
    // Each of the old connections would have nothing more to say.
    let fresh = [db.client().await.unwrap(), db.client().await.unwrap()];
    for client in &fresh {
        client.batch_execute("").await.unwrap();
    }
}
