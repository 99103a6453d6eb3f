//! Connections that hear `NOTIFY`: made anew when they are lost, and proved alive by a beat on the same connection.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};
use tokio_util::sync::CancellationToken;

use crate::db::{Db, DbError, is_plain, tls};

/// How long connecting and each beat may take before the connection counts as lost.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);
/// How long to wait before a lost connection is made anew.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// Who hears.
#[async_trait]
pub trait Listener: Send + Sync + 'static {
    /// The channel's name.
    fn channel(&self) -> &'static str;
    /// A notification came; its payload. Called in the order of the commits, and never waits.
    fn heard(&self, payload: &str);
    /// The connection hears from now on; what was said before was missed.
    ///
    /// # Errors
    /// Those of the database: the connection is then made anew.
    async fn connected(&self, client: &Client) -> Result<(), DbError>;
    /// Called again and again on the connection that listens: a connection that died without a word fails here.
    ///
    /// # Errors
    /// Those of the database: the connection is then made anew.
    async fn beat(&self, client: &Client) -> Result<(), DbError>;
    /// The connection is lost: nothing is heard until the next [`Listener::connected`].
    fn lost(&self);
}

/// Listens until `shutdown`, with a beat every `every`.
pub async fn listen<L: Listener>(db: &Db, listener: Arc<L>, every: Duration, shutdown: &CancellationToken) {
    loop {
        let heard = hear(db, &listener, every);
        tokio::select! {
            () = shutdown.cancelled() => break,
            error = heard => {
                listener.lost();
                tracing::warn!(%error, channel = listener.channel(), "cannot listen to the database; trying again");
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = sleep(RECONNECT_PAUSE) => {}
        }
    }
    listener.lost();
}

/// Ends with what went wrong.
async fn hear<L: Listener>(db: &Db, listener: &Arc<L>, every: Duration) -> DbError {
    match bounded(connect(db, listener)).await {
        Ok((client, ears)) => {
            let error = tell(&client, listener, every).await;
            drop(ears);
            error
        }
        Err(error) => error,
    }
}

async fn tell<L: Listener>(client: &Client, listener: &Arc<L>, every: Duration) -> DbError {
    let begin = async {
        client.batch_execute(&format!("LISTEN {}", listener.channel())).await?;
        listener.connected(client).await
    };
    if let Err(error) = bounded(begin).await {
        return error;
    }
    let mut beats = interval(every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        if let Err(error) = bounded(listener.beat(client)).await {
            return error;
        }
    }
}

async fn bounded<R>(work: impl Future<Output = Result<R, DbError>>) -> Result<R, DbError> {
    timeout(ANSWER_TIME_MAX, work).await.unwrap_or_else(|_elapsed| Err(DbError::Unavailable("no answer".to_owned())))
}

/// The task that reads a connection; it ends with this value, so that nothing is heard of a connection given up.
struct Ears(JoinHandle<()>);

impl Drop for Ears {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn connect<L: Listener>(db: &Db, listener: &Arc<L>) -> Result<(Client, Ears), DbError> {
    let config = db.config();
    if is_plain(config) {
        let (client, connection) = config.connect(NoTls).boxed().await?;
        Ok((client, read(connection, Arc::clone(listener))))
    } else {
        let (client, connection) = config.connect(tls()).boxed().await?;
        Ok((client, read(connection, Arc::clone(listener))))
    }
}

fn read<S, T, L>(mut connection: Connection<S, T>, listener: Arc<L>) -> Ears
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    L: Listener,
{
    Ears(tokio::spawn(async move {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(said))) => listener.heard(said.payload()),
                Some(Ok(_)) => {}
                // At once, not at the next beat: from here on nothing is heard.
                Some(Err(_)) | None => return listener.lost(),
            }
        }
    }))
}
