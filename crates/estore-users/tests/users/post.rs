//! Mail through a server, which here is a few lines that speak as much SMTP as is needed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use estore_kit::db::Db;
use estore_kit::secret::Secret;
use estore_testkit::cluster::TestCluster;
use estore_users::{MIGRATIONS, MailKind, Users, UsersConfig};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::desk::{Desk, PASSWORD, config};

const ADA: &str = "ada@example.com";

/// Answers the end of each letter with the next of `verdicts`, the last one for ever; keeps the letters.
async fn mail_server(verdicts: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let letters = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&letters);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(speak(stream, verdicts, Arc::clone(&kept)));
        }
    });
    (url, letters)
}

async fn speak(mut stream: TcpStream, verdicts: &'static [&'static str], kept: Arc<Mutex<Vec<String>>>) {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    let mut letter: Option<String> = None;
    let mut answer = Some("220 test");
    loop {
        if let Some(answer) = answer.take() {
            writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
        let Ok(Some(line)) = lines.next_line().await else { return };
        answer = match (letter.as_mut(), line.as_str()) {
            (Some(_), ".") => {
                let mut kept = kept.lock().unwrap();
                let verdict = verdicts[kept.len().min(verdicts.len() - 1)];
                kept.push(letter.take().unwrap());
                Some(verdict)
            }
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
                None
            }
            (None, "DATA") => {
                letter = Some(String::new());
                Some("354 go on")
            }
            (None, _) => Some("250 fine"),
        };
    }
}

async fn desk_with(url: String) -> Desk {
    Desk::open_with(|config| {
        config.mail.kind = MailKind::Smtp;
        config.mail.url = Secret::new(url);
        config.mail.from = "Shop <shop@example.com>".to_owned();
    })
    .await
}

async fn wait_for(desk: &Desk, sql: &str) {
    for _ in 0..500 {
        if desk.number(sql).await == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 5 s: {sql}");
}

#[tokio::test]
async fn a_letter_refused_for_now_is_sent_again_with_the_same_id() {
    let (url, letters) = mail_server(&["451 later", "250 taken"]).await;
    let desk = desk_with(url).await;
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    wait_for(&desk, "SELECT count(*) FROM mails WHERE last_error IS NOT NULL AND sent_at IS NULL AND body <> ''").await;
    desk.run("UPDATE mails SET next_attempt_at = now()").await;
    wait_for(&desk, "SELECT count(*) FROM mails WHERE sent_at IS NOT NULL AND body = ''").await;
    let letters = letters.lock().unwrap().clone();
    let ids: Vec<_> =
        letters.iter().map(|letter| letter.lines().find(|line| line.starts_with("Message-ID:"))).collect();
    assert_eq!((ids.len(), ids[0].is_some()), (2, true));
    assert_eq!(ids[0], ids[1]);
    assert!(letters[1].contains("From: Shop <shop@example.com>") && letters[1].contains("\nToken: "));
}

#[tokio::test]
async fn a_letter_refused_for_ever_is_given_up() {
    let (url, letters) = mail_server(&["550 nobody here"]).await;
    let desk = desk_with(url).await;
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    wait_for(&desk, "SELECT count(*) FROM mails WHERE given_up_at IS NOT NULL AND body = ''").await;
    assert_eq!(letters.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_is_away_loses_nothing() {
    let desk = desk_with("smtp://127.0.0.1:1".to_owned()).await;
    desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
    wait_for(&desk, "SELECT count(*) FROM mails WHERE last_error IS NOT NULL AND sent_at IS NULL AND body <> ''").await;
    let printed = format!("{:?}", desk.users);
    assert!(!printed.contains("127.0.0.1:1"), "{printed}");
}

#[tokio::test]
async fn a_server_without_the_tls_that_is_asked_for_gets_nothing() {
    for (scheme, suffix) in [("smtps://", ""), ("smtp://", "?tls=required")] {
        let (url, letters) = mail_server(&["250 taken"]).await;
        let address = url.strip_prefix("smtp://").unwrap();
        let desk = desk_with(format!("{scheme}{address}{suffix}")).await;
        desk.post("/v1/users", json!({"email": ADA, "password": PASSWORD})).await.expect(202);
        wait_for(&desk, "SELECT count(*) FROM mails WHERE last_error IS NOT NULL AND body <> ''").await;
        assert!(letters.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_named() {
    let database = TestCluster::shared().await.database("users", MIGRATIONS).await;
    let folder = tempfile::tempdir().unwrap();
    let start = async |change: fn(&mut UsersConfig)| {
        let mut config = config(folder.path());
        change(&mut config);
        Users::start(Db::new(database.logins(), 1).unwrap(), config).await.unwrap_err().to_string()
    };
    assert!(start(|config| config.mail.from = "nobody".to_owned()).await.contains("users.mail.from"));
    assert!(start(|config| config.refresh_token_days = 0).await.contains("users.refresh_token_days"));
    assert!(start(|config| config.mail.kind = MailKind::Smtp).await.contains("users.mail.url"));
}
