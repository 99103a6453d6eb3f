//! A connection for looking at a database, in bounded time: one that is locked, busy or gone delays nobody.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Config;

use crate::connection::Connection;

/// How long a look may take, from asking for the connection to the last answer.
pub const LOOK_TIME_MAX: Duration = Duration::from_secs(3);
/// How long the server lets one statement of it run, in milliseconds.
const STATEMENT_MS_MAX: u32 = 2_000;
/// How long one of them waits for a lock, in milliseconds.
const LOCK_WAIT_MS_MAX: u32 = 200;
/// What the sessions are called in `pg_stat_activity`.
const APPLICATION: &str = "estore monitor";

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The server refused, or the way to it is cut.
    #[error("{}", described(.0))]
    Refused(#[from] tokio_postgres::Error),
    /// It did not answer in time.
    #[error("it did not answer within {} s", LOOK_TIME_MAX.as_secs())]
    Silent,
}

fn described(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(refusal), _) => format!("{} ({})", refusal.message(), refusal.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// Looks at one database, and at the server that it is on.
#[derive(Debug)]
pub struct Lookout {
    config: Config,
    /// Kept between looks; none while one is under way, and after one that was cut.
    connection: Mutex<Option<Connection>>,
}

impl Lookout {
    /// Connects when first used. `config` names the role that looks: a member of `pg_monitor` sees everything, others
    /// what they may.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        let given = config.get_options().unwrap_or_default().to_owned();
        config.options(format!(
            "-c statement_timeout={STATEMENT_MS_MAX} -c lock_timeout={LOCK_WAIT_MS_MAX} \
             -c default_transaction_read_only=on -c timezone=UTC {given}"
        ));
        config.application_name(APPLICATION);
        config.connect_timeout(LOOK_TIME_MAX);
        Self { config, connection: Mutex::new(None) }
    }

    /// Whether the database answers in time.
    pub async fn answers(&self) -> bool {
        self.look(async |connection| connection.batch_execute("SELECT 1").await).await.is_ok()
    }

    /// Runs `work` on the kept connection, or a new one.
    pub(super) async fn look<R>(
        &self,
        work: impl AsyncFnOnce(&Connection) -> Result<R, tokio_postgres::Error>,
    ) -> Result<R, LookError> {
        let looking = async {
            let mut kept = self.connection.lock().await;
            let connection = match kept.take().filter(|connection| !connection.is_closed()) {
                Some(connection) => connection,
                None => Connection::open(&self.config).await?,
            };
            let done = work(&connection).await?;
            // Not reached when the time is over: a connection with an answer still to come is dropped.
            *kept = Some(connection);
            Ok(done)
        };
        timeout(LOOK_TIME_MAX, looking).await.unwrap_or(Err(LookError::Silent))
    }
}
