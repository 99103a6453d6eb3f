//! A service's database: a bounded pool, statements prepared once per connection, errors sorted
//! into "try again", "a rule of the schema" and "a fault of ours".

mod bracket;
mod carried;
mod connect;
mod logins;
mod pipelined;
mod second_look;
mod signed;
mod silence;
mod talk;
#[cfg(test)]
mod tests;
mod tls;
mod view;

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Client, GenericClient, Hook, HookError, Manager, ManagerConfig, Pool, PoolError, QueueMode, RecyclingMethod,
    Runtime, Timeouts,
};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Row};

pub use self::bracket::Asked;
pub use self::carried::{LastServer, Server, Uncarried, connected_since, leave_to_later};
use self::connect::Connector;
pub use self::logins::Logins;
pub use self::pipelined::Pipelined;
use self::second_look::SecondLook;
pub use self::signed::{Signed, sign};
use self::silence::Patience;
pub use self::tls::{AuthorityError, authority_file, is_plain, is_remote, mend, secured, tls, trust};
pub use self::view::{View, Viewer};
use crate::problem::Problem;

/// How long a request waits for a connection before it is told to come back, in seconds.
const CONNECTION_WAIT_SECONDS: u64 = 5;
/// How long one statement may run, in milliseconds; the server ends it then.
const STATEMENT_MS_MAX: u128 = 15_000;
/// How long a statement waits for a row lock, in milliseconds.
const LOCK_WAIT_MS_MAX: u128 = 5_000;
/// How long a transaction may sit idle before the server ends it, in milliseconds: longer than a busy process needs for
/// its next statement, and no longer, since the rows of a process that is gone without a word stay locked until then.
const IDLE_IN_TRANSACTION_MS_MAX: u128 = 10_000;
/// How long a server that owes an answer may say nothing, in seconds: longer than it lets a statement run.
pub const SILENT_SECONDS_MAX: u64 = 20;
/// The same for work whose statements may run for half an hour, in seconds.
const PATIENT_SILENT_SECONDS_MAX: u64 = 31 * 60;
/// How many such long works at a time.
const PATIENT_CONNECTIONS_MAX: usize = 4;
/// How long the other end of a TCP connection may leave packets unacknowledged, in seconds.
const PEER_SILENT_SECONDS_MAX: u64 = 10;

/// Why a statement did not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database is away, restarting or too busy; trying again is right.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A constraint of the schema refused the change.
    #[error("constraint {name} ({state})")]
    Constraint {
        /// The constraint's or unique index's name.
        name: String,
        /// The five-character SQLSTATE, class 23.
        state: String,
    },
    /// Anything else: a fault of ours.
    #[error("{0}")]
    Failed(String),
}

impl DbError {
    /// Whether this constraint refused the change.
    #[must_use]
    pub fn is_constraint(&self, wanted: &str) -> bool {
        matches!(self, Self::Constraint { name, .. } if name == wanted)
    }
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(db) = error.as_db_error() {
            let (code, state) = (db.code(), db.code().code().to_owned());
            let away = [
                SqlState::TOO_MANY_CONNECTIONS,
                SqlState::QUERY_CANCELED,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                SqlState::LOCK_NOT_AVAILABLE,
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
            ];
            if away.contains(code) || state.starts_with("57P") || state.starts_with("08") {
                return Self::Unavailable(format!("{state} {}", db.message()));
            }
            if state.starts_with("23") {
                let name = db.constraint().or(db.column()).unwrap_or_default().to_owned();
                return Self::Constraint { name, state };
            }
            return Self::Failed(format!("{state} {}", db.message()));
        }
        let io = error.source().is_some_and(|source| source.is::<io::Error>());
        if error.is_closed() || io { Self::Unavailable(error.to_string()) } else { Self::Failed(format!("{error:?}")) }
    }
}

impl From<PoolError> for DbError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => match Self::from(error) {
                Self::Failed(text) | Self::Unavailable(text) => Self::Unavailable(text),
                constraint => constraint,
            },
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(cause) => {
                tracing::warn!(cause, request_id = %crate::request::current_id(), "database unavailable");
                Self::unavailable("The database does not answer in time. Try again shortly.")
            }
            other => Self::internal(other),
        }
    }
}

/// Three pools to one database: for a service's own work, for long work, and for what people may see. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: Pool,
    patient: Pool,
    views: Pool,
    config: Arc<Config>,
}

impl Db {
    /// Pools of at most `connections_max` connections for work and half as many for views, opened when first needed.
    ///
    /// TLS is used for every host but a unix socket, unless the URL says `sslmode=disable`.
    pub fn new(logins: impl Into<Logins>, connections_max: usize) -> Result<Self, DbError> {
        Self::with_patience(logins, connections_max, Duration::from_secs(SILENT_SECONDS_MAX))
    }

    /// The same, where a connection is given up once the server owes an answer and has said nothing for `silent_max`.
    /// Statements and waits for locks are bounded below that, so that a slow server still tells that it is slow.
    pub fn with_patience(
        logins: impl Into<Logins>,
        connections_max: usize,
        silent_max: Duration,
    ) -> Result<Self, DbError> {
        let patience = Duration::from_secs(PATIENT_SILENT_SECONDS_MAX).max(silent_max);
        let Logins { writer, app } = logins.into();
        let writer = limited(writer, silent_max);
        Ok(Self {
            pool: pool(by_index(writer.clone()), connections_max, silent_max)?,
            patient: pool(writer.clone(), PATIENT_CONNECTIONS_MAX, patience)?,
            views: pool(by_index(view::reading(limited(app, silent_max))), connections_max.div_ceil(2), silent_max)?,
            config: Arc::new(writer),
        })
    }

    /// What this person may see: to be used for whatever is answered to people about themselves or others.
    #[must_use]
    pub fn seen_by(&self, viewer: Viewer) -> View {
        View::new(self.views.clone(), viewer)
    }

    /// Changes that the audit log takes down with whoever asks; for statements that are not part of a transaction.
    #[must_use]
    pub fn signed(&self) -> Signed {
        Signed::new(self.pool.clone())
    }

    /// How a connection outside of the pools is made, for those that listen.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// A connection for the service's own work; `client.transaction()` rolls back when dropped.
    pub async fn client(&self) -> Result<Client, DbError> {
        Ok(self.pool.get().await?)
    }

    /// A connection for work whose statements may take minutes and raise their own limits, such as an import.
    pub async fn patient_client(&self) -> Result<Client, DbError> {
        Ok(self.patient.get().await?)
    }

    /// All rows of a statement.
    pub async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DbError> {
        rows(&self.client().await?, sql, params).await
    }

    /// The one row of a statement that answers at most one.
    pub async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Runs a statement and answers how many rows it changed.
    pub async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, DbError> {
        execute(&self.client().await?, sql, params).await
    }

    /// Whether every connection is in use, so that whoever needs one waits.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let status = self.pool.status();
        status.size >= status.max_size && status.available == 0
    }

    /// Ends every connection that nobody works with, and lets nobody have another: before the server is stopped.
    pub fn close(&self) {
        [&self.pool, &self.patient, &self.views].into_iter().for_each(Pool::close);
    }

    /// Whether the database answers within `limit`.
    pub async fn answers(&self, limit: Duration) -> bool {
        matches!(tokio::time::timeout(limit, self.rows("SELECT 1", &[])).await, Ok(Ok(_)))
    }
}

/// All rows of a statement on a connection or transaction.
pub async fn rows<C: GenericClient>(
    client: &C,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, DbError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, params).await?)
}

/// Runs a statement on a connection or transaction; answers how many rows it changed.
pub async fn execute<C: GenericClient>(client: &C, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, DbError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, params).await?)
}

fn pool(config: Config, connections_max: usize, silent_max: Duration) -> Result<Pool, DbError> {
    let tls = (!is_plain(&config)).then(tls);
    let patience = Patience::new(silent_max, SecondLook::new(config.clone(), tls.clone()));
    let connector = Connector { tls, patience: patience.clone() };
    let wait = Some(Duration::from_secs(CONNECTION_WAIT_SECONDS));
    Pool::builder(Manager::from_connect(config, connector, ManagerConfig { recycling_method: RecyclingMethod::Fast }))
        .max_size(connections_max)
        .timeouts(Timeouts { wait, create: wait, recycle: wait })
        .runtime(Runtime::Tokio1)
        // Whoever worked last works next: plans, tables' shapes and the processor's caches are at hand there.
        .queue_mode(QueueMode::Lifo)
        // Where one connection was found silent, those that lay idle meanwhile may be: nobody waits to find out.
        .pre_recycle(Hook::sync_fn(move |_, metrics| {
            let lost = patience.lost_since(metrics.recycled.unwrap_or(metrics.created));
            if lost { Err(HookError::message("another connection was found silent")) } else { Ok(()) }
        }))
        .build()
        .map_err(|error| DbError::Failed(error.to_string()))
}

/// Has statements go by their indexes. A plan is made once for a connection and kept: one that was made while a table
/// was small would read the whole of it, again and again, until the table is next analysed.
fn by_index(mut config: Config) -> Config {
    let given = config.get_options().unwrap_or_default().to_owned();
    config.options(format!("-c enable_seqscan=off -c enable_mergejoin=off {given}"));
    config
}

/// What a session may take; an answer that says so comes before the connection is given up.
fn limited(mut config: Config, silent_max: Duration) -> Config {
    let (given, silent_max) = (config.get_options().unwrap_or_default().to_owned(), silent_max.as_millis());
    let (statement, lock) = (STATEMENT_MS_MAX.min(silent_max * 3 / 4), LOCK_WAIT_MS_MAX.min(silent_max / 2));
    config.options(format!(
        "-c statement_timeout={statement} -c lock_timeout={lock} \
         -c idle_in_transaction_session_timeout={} -c timezone=UTC {given}",
        IDLE_IN_TRANSACTION_MS_MAX.min(silent_max)
    ));
    if config.get_application_name().is_none() {
        config.application_name("estore");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(CONNECTION_WAIT_SECONDS));
    }
    // A server that is gone without a word would be waited for for a quarter of an hour; only TCP needs these.
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(PEER_SILENT_SECONDS_MAX));
        config.keepalives_idle(Duration::from_secs(PEER_SILENT_SECONDS_MAX));
        config.keepalives_interval(Duration::from_secs(2));
        config.keepalives_retries(3);
    }
    config
}
