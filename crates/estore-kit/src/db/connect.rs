//! Opens the connections of a pool, each under watch.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::Connect;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;
use uuid::Uuid;

use super::silence::{Patience, Watched, WatchedTls};

/// The server's port where the URL names none.
const PORT: u16 = 5432;

/// What is left of an application's name beside the session's own: the server cuts both off at 63 bytes.
const APPLICATION_CHARACTERS_MAX: usize = 30;

type Opened = (Client, JoinHandle<()>);

/// Opens connections, with TLS where it has it.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) tls: Option<MakeRustlsConnect>,
    pub(super) patience: Patience,
}

/// One server of those that the URL names.
struct Server {
    host: Host,
    /// What its certificate is checked against.
    name: String,
    port: u16,
}

impl Connect for Connector {
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Result<Opened, Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (session, named) = named(&config);
            for server in servers(&config) {
                match self.open(&server, &named, &session).await {
                    Ok(opened) => return Ok(opened),
                    Err(cause) => tracing::debug!(host = server.name, cause, "cannot connect to a database"),
                }
            }
            // Nobody but the library makes its errors: it tells what is wrong by trying once more.
            match &self.tls {
                None => config.connect(NoTls).await.map(|(client, connection)| (client, drive(connection))),
                Some(tls) => config.connect(tls.clone()).await.map(|(client, connection)| (client, drive(connection))),
            }
        })
    }
}

impl Connector {
    async fn open(&self, server: &Server, config: &Config, session: &str) -> Result<Opened, String> {
        let limit = config.get_connect_timeout().copied().unwrap_or(Duration::MAX);
        let opened = match &server.host {
            Host::Unix(folder) => {
                let socket = folder.join(format!(".s.PGSQL.{}", server.port));
                let stream = within(limit, UnixStream::connect(socket)).await?;
                self.talk(stream, None, config, session).await?
            }
            Host::Tcp(host) => {
                let stream = within(limit, open_tcp(host, server.port, config)).await?;
                self.talk(stream, Some(&server.name), config, session).await?
            }
        };
        require_attributes(&opened.0, config.get_target_session_attrs()).await?;
        Ok(opened)
    }

    async fn talk<S>(&self, stream: S, name: Option<&str>, config: &Config, session: &str) -> Result<Opened, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (patience, session) = (self.patience.clone(), session.to_owned());
        let (Some(name), Some(tls)) = (name, &self.tls) else {
            let opened = config.connect_raw(Watched::new(stream, patience, session), NoTls).await;
            return opened.map(|(client, connection)| (client, drive(connection))).map_err(told);
        };
        let stream = match config.get_ssl_negotiation() {
            SslNegotiation::Direct => Watched::around_tls(stream, patience.clone()),
            _ => Watched::new(stream, patience.clone(), session.clone()),
        };
        let tls = MakeTlsConnect::<Watched<S>>::make_tls_connect(&mut tls.clone(), name).map_err(told)?;
        let opened = config.connect_raw(stream, WatchedTls { tls, patience, session }).await;
        opened.map(|(client, connection)| (client, drive(connection))).map_err(told)
    }
}

/// A name that no other session has, and the configuration with it: by it the server can be asked about the session.
fn named(config: &Config) -> (String, Config) {
    let ours: String =
        config.get_application_name().unwrap_or("estore").chars().take(APPLICATION_CHARACTERS_MAX).collect();
    let session = format!("{ours} {}", Uuid::new_v4().simple());
    let mut config = config.clone();
    config.application_name(&session);
    (session, config)
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn within<T>(limit: Duration, connecting: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    let connected = tokio::time::timeout(limit, connecting).await;
    connected.map_err(|_late| format!("no connection within {limit:?}"))?.map_err(told)
}

fn servers(config: &Config) -> Vec<Server> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    let mut servers: Vec<Server> = (0..count)
        .filter_map(|at| {
            let address = addresses.get(at).map(|address| Host::Tcp(address.to_string()));
            let host = address.or_else(|| hosts.get(at).cloned())?;
            let name = match hosts.get(at) {
                Some(Host::Tcp(name)) => name.clone(),
                _ => String::new(),
            };
            Some(Server { host, name, port: ports.get(at).or(ports.first()).copied().unwrap_or(PORT) })
        })
        .collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random && count > 1 {
        servers.rotate_left(rand::random_range(0..count));
    }
    servers
}

async fn open_tcp(host: &str, port: u16, config: &Config) -> io::Result<TcpStream> {
    let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
    let stream = TcpStream::connect(addresses.as_slice()).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    if let Some(limit) = config.get_tcp_user_timeout() {
        socket.set_tcp_user_timeout(Some(*limit))?;
    }
    if config.get_keepalives() {
        let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
        if let Some(interval) = config.get_keepalives_interval() {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            keepalive = keepalive.with_retries(retries);
        }
        socket.set_tcp_keepalive(&keepalive)?;
    }
    Ok(stream)
}

fn drive<S, T>(connection: Connection<S, T>) -> JoinHandle<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            tracing::warn!(%error, cause, "a connection to the database ended");
        }
    })
}

/// Passes over a standby where the URL wants one that can be written, and the other way round.
async fn require_attributes(client: &Client, wanted: TargetSessionAttrs) -> Result<(), String> {
    let refused = match wanted {
        TargetSessionAttrs::ReadWrite => "on",
        TargetSessionAttrs::ReadOnly => "off",
        _ => return Ok(()),
    };
    let shown = client.simple_query("SHOW transaction_read_only").await.map_err(told)?;
    let read_only = shown.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    if read_only == Some(refused) { Err(format!("transaction_read_only is {refused}")) } else { Ok(()) }
}
