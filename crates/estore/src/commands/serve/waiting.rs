//! A start while databases are away: it waits for them, and tells whoever asks meanwhile.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use estore_kit::db::{self, Db, Logins};
use estore_kit::edge::{Door, Rules, edge, serve};
use estore_kit::problem::Problem;
use estore_ops::connection::Connection;
use estore_ops::roles::Service;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

use super::super::migrate;
use crate::config::Config;
use crate::databases::Databases;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::metrics::backups::BackupWatch;
use crate::services::Services;
use crate::watched;

/// How long a database may take to answer before it counts as away.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a start may take once the databases answer.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// The first and the longest pause between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

type StartResult<T> = Result<T, Box<dyn std::error::Error>>;

/// What is to be started, on which databases.
pub struct Start<'a> {
    pub what: &'a [Service],
    pub config: &'a Config,
    pub databases: &'a Databases,
}

impl Start<'_> {
    /// The services and the door they serve at; nothing where `stop` came first.
    pub async fn run(&self, door: Door, stop: &CancellationToken) -> StartResult<Option<(Services, Door)>> {
        if self.away().await?.is_none() {
            match self.attempt().await {
                Ok(services) => return Ok(Some((services, door))),
                // Whatever is wrong with databases that answer is not mended by waiting.
                Err(error) if self.away().await?.is_none() => return Err(error),
                Err(_went_away_meanwhile) => {}
            }
        }
        let (door, meanwhile) = twice(door)?;
        let answering = CancellationToken::new();
        let rules = self.config.rules()?;
        let (limits, until) = (rules.limits.clone(), answering.clone());
        let router = self.router(rules)?;
        if let Some(tls) = meanwhile.tls.clone() {
            tokio::spawn(tls.watch(answering.clone()));
        }
        let answers = tokio::spawn(async move { serve(meanwhile, router, limits, until.cancelled()).await });
        let started = tokio::select! {
            started = self.wait() => started.map(Some),
            () = stop.cancelled() => Ok(None),
        };
        answering.cancel();
        drop(answers.await);
        Ok(started?.map(|services| (services, door)))
    }

    async fn attempt(&self) -> StartResult<Services> {
        let starting = async {
            migrate::require_current(self.databases, self.what).await?;
            Services::start(self.what, self.config, self.databases).await
        };
        let started = timeout(START_TIME_MAX, starting).await;
        started.unwrap_or_else(|_late| Err(format!("the services did not start within {START_TIME_MAX:?}").into()))
    }

    async fn wait(&self) -> StartResult<Services> {
        let begun = Instant::now();
        let limit = Duration::from_secs(self.config.databases.wait_seconds_max);
        let (mut pause, longest) = PAUSES;
        let mut told = String::new();
        loop {
            let cause = match self.away().await? {
                Some(cause) => cause,
                None => match self.attempt().await {
                    Ok(services) => {
                        tracing::info!("the databases are there");
                        return Ok(services);
                    }
                    // It went away again while we started.
                    Err(error) => self.away().await?.ok_or(error)?,
                },
            };
            if begun.elapsed() >= limit {
                let seconds = limit.as_secs();
                return Err(format!(
                    "{cause}. It was waited for for {seconds} s (databases.wait_seconds_max): is PostgreSQL running?"
                )
                .into());
            }
            if cause != told {
                tracing::warn!(cause, "a database is away; the start waits for it");
                told = cause;
            }
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// The first database that does not answer, and why; one that refuses us is an error at once.
    async fn away(&self) -> StartResult<Option<String>> {
        for &service in self.what {
            let Logins { writer, app } = self.databases.logins(service)?;
            let asking = async {
                Connection::open(&writer).await?.batch_execute("SELECT 1").await?;
                Connection::open(&app).await?.batch_execute("SELECT 1").await
            };
            match timeout(ANSWER_TIME_MAX, asking).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if let Some(mend) = db::mend(&error) => {
                    let cause = error.source().map(ToString::to_string).unwrap_or_else(|| error.to_string());
                    return Err(format!("the way to the database of {service} is not safe: {cause}. {mend}.").into());
                }
                Ok(Err(error)) if is_away(&error) => {
                    let under = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                    return Ok(Some(format!("the database of {service} does not answer: {error}{under}")));
                }
                Ok(Err(error)) => {
                    let cause = error.source().map(ToString::to_string).unwrap_or_else(|| error.to_string());
                    let mend = "Does the database exist and is it migrated? `estore db migrate up` sees to both.";
                    return Err(format!("the database of {service} refuses us: {cause}. {mend}").into());
                }
                Err(_late) => {
                    return Ok(Some(format!("the database of {service} did not answer within {ANSWER_TIME_MAX:?}")));
                }
            }
        }
        Ok(None)
    }

    /// Health, and 503 for everything else.
    fn router(&self, rules: Rules) -> StartResult<Router> {
        let pools: StartResult<Vec<Db>> =
            self.what.iter().map(|service| Ok(Db::new(self.databases.logins(*service)?, 1)?)).collect();
        let watched = watched::of(self.what, self.databases)?;
        let health = Health {
            databases: pools?.into(),
            watched: Arc::clone(&watched),
            revocations: Default::default(),
            warnings: None,
        };
        let metrics = Metrics::new(self.config, watched, BackupWatch::of(self.config))?;
        let metrics = Arc::new(metrics).router(None, &health.revocations);
        let (router, _api) = health.router().merge(metrics).split_for_parts();
        let router =
            router.fallback(|| async { Problem::unavailable("The shop waits for its database to come back.") });
        Ok(edge(router, rules))
    }
}

fn is_away(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        Some(refusal) => {
            let code = refusal.code();
            *code == SqlState::TOO_MANY_CONNECTIONS || code.code().starts_with("57P")
        }
        None => error.is_closed() || error.source().is_some_and(|source| source.is::<io::Error>()),
    }
}

/// The same door twice: who waits at it when the first is closed is the second's.
fn twice(door: Door) -> io::Result<(Door, Door)> {
    let Door { listener, tls } = door;
    let listener = listener.into_std()?;
    let other = TcpListener::from_std(listener.try_clone()?)?;
    Ok((Door { listener: TcpListener::from_std(listener)?, tls: tls.clone() }, Door { listener: other, tls }))
}
