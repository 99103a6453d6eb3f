//! A proxy that fails on demand, before a TCP or a unix socket.
//!
//! It runs on a thread of its own, so that a test that blocks does not fail the connections it watches.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// How much is read at a time, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// What goes wrong with every connection until another fault is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: all bytes go through.
    None,
    /// New connections are closed at once; those that stand go on.
    Refuse,
    /// Nothing moves in either direction, and nothing is lost.
    Stall,
    /// Each piece waits so long in either direction.
    Delay(Duration),
    /// What the server answers is lost; the connection is cut when the fault ends.
    DropReplies,
    /// The client sees the end of the stream, the server does not.
    HalfClose,
    /// Every connection that stands or is made is silent for ever, open even when the fault is over.
    Silence,
}

/// The proxy; it and its connections end with this value.
#[derive(Debug)]
pub struct Proxy {
    fault: watch::Sender<Fault>,
    cuts: watch::Sender<u64>,
    address: Option<SocketAddr>,
    folder: Option<TempDir>,
    _ends: oneshot::Sender<()>,
}

/// Where the bytes go.
#[derive(Debug, Clone)]
enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;
type Stream = (Reader, Writer);

impl Proxy {
    /// Before a TCP server.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn tcp(target: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket of ours");
        let address = listener.local_addr().expect("its address");
        let open = move || Ok(Listener::Tcp(TcpListener::from_std(listener)?));
        Self { address: Some(address), ..Self::start(Target::Tcp(target), open) }
    }

    /// Before a PostgreSQL server's unix socket, with a socket of the same name in a folder of its own.
    ///
    /// # Panics
    /// When no folder can be made.
    #[must_use]
    pub fn postgresql(socket_dir: &Path) -> Self {
        let name = ".s.PGSQL.5432";
        let folder = tempfile::Builder::new().prefix("estore-proxy-").tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        let open = move || Ok(Listener::Unix(UnixListener::bind(path)?));
        let started = Self::start(Target::Unix(socket_dir.join(name)), open);
        Self { folder: Some(folder), ..started }
    }

    fn start(target: Target, open: impl FnOnce() -> io::Result<Listener> + Send + 'static) -> Self {
        let (fault, faults) = watch::channel(Fault::None);
        let (cuts, cut) = watch::channel(0);
        let (ends, mut ended) = oneshot::channel::<()>();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = open().expect("the proxy can listen");
                ready.send(()).expect("the test waits");
                let mut connections = JoinSet::new();
                loop {
                    let client = tokio::select! {
                        client = accept(&listener) => client,
                        _ = &mut ended => return,
                    };
                    let switches = Switches { fault: faults.clone(), cut: cut.clone() };
                    connections.spawn(serve(client, target.clone(), switches));
                    while connections.try_join_next().is_some() {}
                }
            });
        });
        is_ready.recv().expect("the proxy starts");
        Self { fault, cuts, address: None, folder: None, _ends: ends }
    }

    /// The base URL of a TCP proxy.
    ///
    /// # Panics
    /// When it is not one.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address.expect("a proxy before a TCP server"))
    }

    /// How a service connects through a PostgreSQL proxy, as the application role.
    ///
    /// # Panics
    /// When it is not one.
    #[must_use]
    pub fn database_url(&self, service: &str) -> String {
        let folder = self.folder.as_ref().expect("a proxy before PostgreSQL").path().display();
        format!("postgresql:///estore_{service}?host={folder}&user=estore_{service}_app")
    }

    /// Sets what goes wrong from now on.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Cuts every connection that stands.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn accept(listener: &Listener) -> io::Result<Stream> {
    match listener {
        Listener::Tcp(listener) => Ok(split(listener.accept().await?.0)),
        Listener::Unix(listener) => Ok(split(listener.accept().await?.0)),
    }
}

async fn connect(target: &Target) -> io::Result<Stream> {
    match target {
        Target::Tcp(address) => Ok(split(TcpStream::connect(address).await?)),
        Target::Unix(path) => Ok(split(UnixStream::connect(path).await?)),
    }
}

fn split(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Stream {
    let (reader, writer) = io::split(stream);
    (Box::new(reader), Box::new(writer))
}

#[derive(Clone)]
struct Switches {
    fault: watch::Receiver<Fault>,
    cut: watch::Receiver<u64>,
}

async fn serve(client: io::Result<Stream>, target: Target, mut switches: Switches) {
    switches.cut.mark_unchanged();
    if *switches.fault.borrow() == Fault::Refuse {
        return;
    }
    let (Ok((from_client, to_client)), Ok((from_server, to_server))) = (client, connect(&target).await) else { return };
    let asking = pump(from_client, to_server, false, switches.clone());
    let answering = pump(from_server, to_client, true, switches.clone());
    tokio::select! {
        _ = async { tokio::try_join!(asking, answering) } => {}
        _ = switches.cut.changed() => {}
    }
}

/// A connection that has lost bytes, and is cut.
struct Broken;

/// Carries bytes one way until the stream ends, and says so to the other side.
async fn pump(mut from: Reader, mut to: Writer, answers: bool, mut switches: Switches) -> Result<(), Broken> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let fault = *switches.fault.borrow_and_update();
        match fault {
            Fault::HalfClose if answers => break,
            Fault::Silence => std::future::pending().await,
            _ => {}
        }
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            changed = switches.fault.changed() => match changed {
                Ok(()) => continue,
                Err(_proxy_is_gone) => return Err(Broken),
            },
        };
        let Ok(count @ 1..) = read else { break };
        deliver(&mut to, &buffer[..count], answers, &mut switches.fault).await?;
    }
    drop(to.shutdown().await);
    Ok(())
}

/// Hands one piece on as the fault has it.
async fn deliver(
    to: &mut Writer,
    piece: &[u8],
    answers: bool,
    fault: &mut watch::Receiver<Fault>,
) -> Result<(), Broken> {
    loop {
        let now = *fault.borrow_and_update();
        match now {
            Fault::Silence => std::future::pending().await,
            Fault::Stall => fault.changed().await.map_err(|_proxy_is_gone| Broken)?,
            Fault::DropReplies if answers => {
                // Lost: whoever waits for it waits until the fault is over.
                drop(fault.changed().await);
                return Err(Broken);
            }
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                break;
            }
            _ => break,
        }
    }
    to.write_all(piece).await.map_err(|_peer_is_gone| Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each piece with itself.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    drop(io::copy(&mut reader, &mut writer).await);
                });
            }
        });
        address
    }

    async fn client(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(proxy.address.unwrap()).await.unwrap()
    }

    /// Says a word and waits for a moment: its echo, nothing yet, or the end.
    async fn say(stream: &mut TcpStream) -> Option<bool> {
        drop(stream.write_all(b"word").await);
        let mut heard = [0; 4];
        let heard = tokio::time::timeout(Duration::from_millis(200), stream.read_exact(&mut heard)).await;
        heard.ok().map(|read| read.is_ok())
    }

    #[tokio::test]
    async fn each_fault_is_what_it_says() {
        let proxy = Proxy::tcp(echo().await);
        let mut stream = client(&proxy).await;
        assert_eq!(say(&mut stream).await, Some(true));
        proxy.set(Fault::Stall);
        assert_eq!(say(&mut stream).await, None);
        proxy.set(Fault::None);
        assert_eq!(say(&mut stream).await, Some(true), "what stalled was not lost");
        proxy.set(Fault::Refuse);
        assert_eq!(say(&mut client(&proxy).await).await, Some(false));
        proxy.set(Fault::DropReplies);
        let mut lost = client(&proxy).await;
        assert_eq!(say(&mut lost).await, None);
        proxy.set(Fault::None);
        assert_eq!(say(&mut lost).await, Some(false), "what is lost does not come back");
        proxy.set(Fault::HalfClose);
        assert_eq!(say(&mut client(&proxy).await).await, Some(false));
        proxy.set(Fault::None);
        let mut whole = client(&proxy).await;
        assert_eq!(say(&mut whole).await, Some(true));
        proxy.set(Fault::Silence);
        assert_eq!(say(&mut whole).await, None);
        proxy.set(Fault::None);
        assert_eq!(say(&mut whole).await, None, "what is silent stays silent");
        assert_eq!(say(&mut client(&proxy).await).await, Some(true), "what is new is not");
        proxy.cut();
        assert_eq!(say(&mut whole).await, Some(false));
    }
}
