//! One keep-alive connection that costs little: a request goes out as prepared bytes, an answer is read in place.
//! Only what the shop's JSON answers need is understood: a status, headers, a body with a Content-Length.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::failure::Failure;

/// The first size of the buffer for an answer, in bytes.
const BUFFER_BYTES: usize = 16 * 1024;
/// More headers than any answer of the shop has.
const HEADERS_MAX: usize = 48;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
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
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES] })
    }

    /// Sends a whole request and waits for the whole answer.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            filled += self.fill(filled).await?;
            if let Some(head) = parse(&self.buffer[..filled])? {
                break head;
            }
        };
        let whole = head.head_bytes + head.body_bytes;
        while filled < whole {
            filled += self.fill(filled).await?;
        }
        if filled > whole {
            return Err(Failure::new("the server sent more than the answer"));
        }
        let (head_bytes, rest) = self.buffer.split_at(head.head_bytes);
        Ok(Answer { status: head.status, head: head_bytes, body: &rest[..head.body_bytes] })
    }

    async fn fill(&mut self, from: usize) -> Result<usize, Failure> {
        if from == self.buffer.len() {
            self.buffer.resize(from * 2, 0);
        }
        match self.stream.read(&mut self.buffer[from..]).await? {
            0 => Err(Failure::new("the server closed the connection")),
            read => Ok(read),
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
