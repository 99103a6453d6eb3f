//! The baseline of reads: a bare hyper server that answers every request with the same bytes and headers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::client::Answer;
use crate::failure::Failure;
use crate::shop::Shop;

/// What to answer.
#[derive(Debug, Args)]
pub(crate) struct BareArgs {
    /// A whole answer as it stood on the wire.
    #[arg(long, value_name = "FILE")]
    answer: PathBuf,
}

/// Serves until it is killed; its address is its first line.
pub(crate) async fn run(args: BareArgs) -> Result<bool, Failure> {
    let bytes = std::fs::read(&args.answer)?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| Failure::new("no end of headers"))?;
    let headers = headers(&bytes[..end + 4])?;
    let body = Bytes::copy_from_slice(&bytes[end + 4..]);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (headers, body) = (headers.clone(), body.clone());
        let service = service_fn(move |_request: Request<Incoming>| {
            let mut response = Response::new(Full::new(body.clone()));
            response.headers_mut().clone_from(&headers);
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).keep_alive(true);
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}

/// The headers of the answer but those that hyper writes itself.
fn headers(head: &[u8]) -> Result<HeaderMap, Failure> {
    let mut parsed = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut parsed);
    response.parse(head)?;
    let mut headers = HeaderMap::new();
    for header in response.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes())?;
        if name != CONTENT_LENGTH && name != DATE {
            headers.append(name, HeaderValue::from_bytes(header.value)?);
        }
    }
    Ok(headers)
}

/// A bare server in a process of its own; it ends with this value.
#[derive(Debug)]
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    _process: Child,
}

impl Bare {
    /// Starts one that answers like this.
    pub(crate) async fn start(shop: &Shop, answer: Answer<'_>) -> Result<Self, Failure> {
        let file = shop.write_file("answer.http", &[answer.head, answer.body].concat())?;
        let mut process = Command::new(std::env::current_exe()?)
            .args(["load", "bare", "--answer"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = String::new();
        let Some(stdout) = process.stdout.take() else { return Err(Failure::new("no output to read")) };
        BufReader::new(stdout).read_line(&mut line).await?;
        Ok(Self { address: line.trim().parse()?, _process: process })
    }
}
