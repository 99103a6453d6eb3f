//! The accept loop: connections, bounded in number and time, until the server is told to end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::routing::future::RouteFuture;
use futures_util::future::{Either, Ready, ready};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower::Service;

use super::EdgeLimits;
use super::client::Peer;
use super::crowd::Crowd;
use super::front::Site;
use super::patient::Patient;
use super::tls::Tls;

/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// What is read of a connection before it is looked at, in bytes.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// How often the log repeats what is wrong with who connects.
pub(super) const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Connections that the system keeps for us until we take them. What it has no room for, it lets come again after a fifth of a
/// second or a whole one: many who come at once must find room. Linux allows `net.core.somaxconn` of them.
const WAITING_MAX: u32 = 16 * 1024;

/// Listens on the address.
///
/// # Errors
/// Those of the system: the address is taken, or is not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections of a process before us may still be ending there.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Where clients come in.
#[derive(Debug)]
pub struct Door {
    /// The address.
    pub listener: TcpListener,
    /// What proves that it is us; plain HTTP where there is nothing.
    pub tls: Option<Tls>,
}

impl From<TcpListener> for Door {
    fn from(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }
}

/// Serves until `shutdown` resolves, then finishes what runs (bounded) and returns.
pub async fn serve(
    door: impl Into<Door>,
    site: impl Into<Site>,
    limits: EdgeLimits,
    shutdown: impl Future<Output = ()>,
) {
    let (Door { listener, tls }, site) = (door.into(), Arc::new(site.into()));
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let (crowd, mut told) = (Crowd::default(), None);
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_time_max).keep_alive(true);
    http.max_header_size(HEAD_BYTES_MAX).max_buf_size(BUFFER_BYTES_MAX);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let slot = tokio::select! {
            slot = Arc::clone(&slots).acquire_owned() => slot,
            () = &mut shutdown => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors, mostly: wait until some connection ends.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let peer = peer.ip().to_canonical();
        let most = if limits.proxies.holds(peer) { usize::MAX } else { limits.connections_per_address_max };
        let Some(place) = crowd.enter(peer, most) else {
            tell_of_crowd(peer, most, &mut told);
            continue;
        };
        drop(stream.set_nodelay(true));
        let conversation = Conversation {
            http: http.clone(),
            routes: Routes { site: Arc::clone(&site), peer: Peer(peer) },
            watcher: graceful.watcher(),
            write_time_max: limits.write_time_max,
        };
        let (tls, handshake_time_max) = (tls.clone(), limits.header_time_max);
        tokio::spawn(async move {
            match tls {
                None => conversation.hold(stream).await,
                Some(tls) => match timeout(handshake_time_max, tls.acceptor().accept(stream)).await {
                    Ok(Ok(stream)) => conversation.hold(stream).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS with this client"),
                    Err(_elapsed) => {}
                },
            }
            drop((place, slot));
        });
    }
    drop(listener);
    if timeout(limits.shutdown_time_max, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still running when the time for shutdown was over");
    }
}

fn tell_of_crowd(address: IpAddr, most: usize, told: &mut Option<Instant>) {
    if told.is_none_or(|at| at.elapsed() > TOLD_EVERY) {
        *told = Some(Instant::now());
        tracing::warn!(%address, most, "an address has more connections than it may; further ones are closed");
    }
}

/// One connection's requests and answers.
struct Conversation {
    http: http1::Builder,
    routes: Routes,
    watcher: Watcher,
    write_time_max: Duration,
}

impl Conversation {
    async fn hold<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let stream = TokioIo::new(Patient::new(stream, self.write_time_max));
        let connection = self.http.serve_connection(stream, TowerToHyperService::new(self.routes));
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(%error, "connection ended");
        }
    }
}

/// The routes, told who is at the other end.
#[derive(Clone)]
struct Routes {
    site: Arc<Site>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Routes {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<axum::response::Response, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        if let Some(kept) = self.site.kept(&request) {
            return Either::Left(ready(Ok(kept)));
        }
        request.extensions_mut().insert(self.peer);
        Either::Right(self.site.router.clone().call(request))
    }
}
