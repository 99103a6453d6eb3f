//! One keep-alive connection that costs little: a request goes out as prepared bytes, an answer is read in place.
//! Only what the shop's JSON answers need is understood: a status, headers, a body with a Content-Length.

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::failure::Failure;

/// The first size of the buffer for an answer, in bytes.
const BUFFER_BYTES: usize = 8 * 1024;
/// More headers than any answer of the shop has.
const HEADERS_MAX: usize = 48;

/// A connection that has been idle for longer is opened anew: servers close idle ones.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// A connection, opened when it is needed.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    open: Option<(TcpStream, Instant)>,
    buffer: Vec<u8>,
}

/// What was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
struct Head {
    status: u16,
    head_bytes: usize,
    body_bytes: usize,
}

impl Connection {
    /// A connection to this address.
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address, open: None, buffer: Vec::new() }
    }

    /// Opens it before it is needed.
    pub(crate) async fn open(&mut self) -> Result<(), Failure> {
        self.open = Some((connect(self.address).await?, Instant::now()));
        Ok(())
    }

    /// Sends a whole request and waits for the whole answer.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        let mut stream = match self.open.take() {
            Some((stream, used_at)) if used_at.elapsed() < IDLE_MAX => stream,
            _ => connect(self.address).await?,
        };
        stream.write_all(request).await?;
        let head = receive(&mut stream, &mut self.buffer).await?;
        self.open = Some((stream, Instant::now()));
        let (head_bytes, rest) = self.buffer.split_at(head.head_bytes);
        Ok(Answer { status: head.status, head: head_bytes, body: &rest[..head.body_bytes] })
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads a whole answer into the buffer, from its beginning.
async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Head, Failure> {
    let mut filled = 0;
    let mut found = None;
    loop {
        if filled == buffer.len() {
            buffer.resize(BUFFER_BYTES.max(filled * 2), 0);
        }
        match stream.read(&mut buffer[filled..]).await? {
            0 => return Err(Failure::new("the server closed the connection")),
            read => filled += read,
        }
        if found.is_none() {
            found = parse(&buffer[..filled])?;
        }
        let Some(head) = found else { continue };
        match filled.cmp(&(head.head_bytes + head.body_bytes)) {
            Ordering::Less => {}
            Ordering::Equal => return Ok(head),
            Ordering::Greater => return Err(Failure::new("the server sent more than the answer")),
        }
    }
}

/// The head of an answer, once it is there as a whole.
fn parse(bytes: &[u8]) -> Result<Option<Head>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head_bytes) = response.parse(bytes)? else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let body_bytes = length.and_then(|length| std::str::from_utf8(length.value).ok()?.parse().ok());
    match (response.code, body_bytes) {
        (Some(status), Some(body_bytes)) => Ok(Some(Head { status, head_bytes, body_bytes })),
        _ => Err(Failure::new("an answer without a Content-Length, which this client does not read")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_head_is_found_once_it_is_whole() {
        let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nX: y\r\n\r\n{}";
        for cut in 0..answer.len() - 2 {
            assert!(parse(&answer[..cut]).unwrap().is_none(), "{cut}");
        }
        let head = parse(answer).unwrap().unwrap();
        assert_eq!((head.status, head.head_bytes, head.body_bytes), (201, answer.len() - 2, 2));
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
