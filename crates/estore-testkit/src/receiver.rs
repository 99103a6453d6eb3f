//! A receiver of webhooks: plain text, so that nothing of the shop's own is trusted here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long a message may be on its way.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// A delivery as it came.
#[derive(Debug, Clone)]
pub struct Message {
    /// Request line and headers, in lower case.
    pub head: String,
    /// The body.
    pub json: Value,
}

impl Message {
    /// A header by its lower-case name.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let head = &self.head;
        header(head, name).unwrap_or_else(|| panic!("no {name} in {head}"))
    }

    /// Whether this tells of such an event.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.json["type"] == kind
    }
}

/// Takes what is sent to its URL and answers 200, as long as the test's runtime lives.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    /// Starts to listen.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("its address"));
        let receiver = Self { url, messages: Arc::default() };
        let messages = Arc::clone(&receiver.messages);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(receive(stream, Arc::clone(&messages)));
            }
        });
        receiver
    }

    /// Everything that came so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The messages that fit, once there are at least so many.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn heard(&self, count: usize, fits: impl Fn(&Message) -> bool) -> Vec<Message> {
        let begun = Instant::now();
        loop {
            let found: Vec<Message> = self.messages().into_iter().filter(&fits).collect();
            if found.len() >= count {
                return found;
            }
            assert!(begun.elapsed() < WAIT_MAX, "{count} wanted, {found:?} came");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Takes one request after the other on a connection.
async fn receive(mut stream: TcpStream, messages: Arc<Mutex<Vec<Message>>>) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer[..head_end]).to_ascii_lowercase();
        let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while buffer.len() < head_end + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let json = serde_json::from_slice(&buffer[head_end..head_end + length]).unwrap_or_default();
        buffer.drain(..head_end + length);
        messages.lock().unwrap_or_else(PoisonError::into_inner).push(Message { head, json });
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}
