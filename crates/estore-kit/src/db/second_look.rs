//! Another connection's look at a session that is silent: does the server work for it, or wait for us?
//!
//! A session that waits for its client while the client waits for it has lost what was between them, for ever.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::DbError;

/// How long a look may take; later it has seen nothing.
const LOOK_TIME_MAX: Duration = Duration::from_millis(1_500);
/// What is between two glances: an answer may be on its way in the first.
const GLANCE_PAUSE: Duration = Duration::from_millis(300);
/// How many looks at a time for a pool.
const LOOKS_MAX: usize = 8;

/// What was seen of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The server works for it.
    Working,
    /// It waited for its client and has been ended, or is not there at all.
    Lost,
    /// Nobody could look.
    Nothing,
}

/// Looks at the sessions of one pool.
#[derive(Clone)]
pub(super) struct SecondLook {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    turns: Arc<Semaphore>,
}

impl std::fmt::Debug for SecondLook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondLook").finish_non_exhaustive()
    }
}

impl SecondLook {
    pub(super) fn new(mut config: Config, tls: Option<MakeRustlsConnect>) -> Self {
        config.application_name("estore second look");
        Self { config, tls, turns: Arc::new(Semaphore::new(LOOKS_MAX)) }
    }

    /// Begins to look at the session of this name, unless too many are looking.
    pub(super) fn begin(&self, session: &str) -> Option<JoinHandle<Seen>> {
        let turn = Arc::clone(&self.turns).try_acquire_owned().ok()?;
        let (look, session) = (self.clone(), session.to_owned());
        Some(tokio::spawn(async move {
            let seen = tokio::time::timeout(LOOK_TIME_MAX, look.look(&session)).await;
            drop(turn);
            match seen {
                Ok(Ok(seen)) => seen,
                Ok(Err(error)) => {
                    tracing::debug!(%error, "cannot look at a silent session");
                    Seen::Nothing
                }
                Err(_late) => Seen::Nothing,
            }
        }))
    }

    async fn look(&self, session: &str) -> Result<Seen, DbError> {
        let (client, driver) = match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, tokio::spawn(async move { drop(connection.await) }))
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                (client, tokio::spawn(async move { drop(connection.await) }))
            }
        };
        let _driver = Ended(driver);
        let first = glance(&client, session).await?;
        tokio::time::sleep(GLANCE_PAUSE).await;
        if first == "working" || glance(&client, session).await? != first {
            return Ok(Seen::Working);
        }
        client.execute(include_str!("../../queries/end_session.sql"), &[&session]).await?;
        Ok(Seen::Lost)
    }
}

async fn glance(client: &Client, session: &str) -> Result<String, DbError> {
    Ok(client.query_one(include_str!("../../queries/look_at_session.sql"), &[&session]).await?.get(0))
}

/// A task that ends with this value.
struct Ended(JoinHandle<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}
