//! `/metrics`: figures for Prometheus, of the databases, of the services and of the process.

pub mod backups;
mod process;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use estore_kit::auth::{Revocations, shows};
use estore_kit::certificates::expires_at;
use estore_kit::metrics::{Family, Page};
use estore_kit::problem::Problem;
use estore_kit::secret::Secret;
use estore_ops::monitor::exporter;
use futures_util::future::{join, join_all};
use tokio::sync::Mutex;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::backups::BackupWatch;
use self::process::Process;
use crate::config::Config;
use crate::findings::certificates;
use crate::secrets;
use crate::services::Services;
use crate::watched::Watched;

/// How long figures of databases are shown before they are read again: whoever asks more often costs nothing.
const KEPT_TIME: Duration = Duration::from_secs(3);
/// The shortest token, in characters.
const TOKEN_CHARACTERS_MIN: usize = 16;

const BUILD: Family = Family::gauge("estore_build_info", "The running version.");
const DATABASE_UP: Family = Family::gauge("estore_database_up", "Whether a database answers.");
const CERTIFICATE_ENDS: Family =
    Family::gauge("estore_certificate_ends_seconds", "When a certificate that is shown ends, in Unix time.");
const SESSIONS_HEARD: Family = Family::gauge("estore_ended_sessions_heard", "Whether ended sessions are heard of.");

/// What figures are made of.
#[derive(Debug)]
pub struct Metrics {
    /// What Prometheus has to show.
    token: Secret,
    databases: Arc<[Watched]>,
    backups: Option<Arc<BackupWatch>>,
    process: Process,
    /// The certificates that are shown, by section of the configuration.
    certificates: Vec<(&'static str, PathBuf)>,
    kept: Mutex<Option<(Instant, Page)>>,
}

/// The route's state: the services are missing while their databases are waited for.
#[derive(Clone)]
struct Shown {
    metrics: Arc<Metrics>,
    services: Option<Services>,
    revocations: Arc<Revocations>,
}

impl Metrics {
    /// Of these databases; makes the token where there is none.
    ///
    /// # Errors
    /// A token that is too short, or a data directory that cannot be written.
    pub fn new(
        config: &Config,
        databases: Arc<[Watched]>,
        backups: Option<Arc<BackupWatch>>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let token = match &config.metrics.token {
            Some(token) => token.clone(),
            None => secrets::read_or_make(&config.data_dir, "metrics-token")?,
        };
        let is_visible = token.reveal().chars().all(|letter| letter.is_ascii_graphic());
        if token.reveal().len() < TOKEN_CHARACTERS_MIN || !is_visible {
            let text = format!("metrics.token needs at least {TOKEN_CHARACTERS_MIN} visible ASCII characters");
            return Err(text.into());
        }
        let shown = certificates::shown(config).into_iter();
        let certificates = shown.map(|(section, file)| (section, file.to_owned())).collect();
        let process = Process::now(&config.data_dir);
        Ok(Self { token, databases, backups, process, certificates, kept: Mutex::new(None) })
    }

    /// The route, for a process with these services.
    pub fn router(self: &Arc<Self>, services: Option<Services>, revocations: &Arc<Revocations>) -> OpenApiRouter {
        let (metrics, revocations) = (Arc::clone(self), Arc::clone(revocations));
        OpenApiRouter::new().routes(routes!(metrics_page)).with_state(Shown { metrics, services, revocations })
    }

    /// Figures that have to be asked for, at most [`KEPT_TIME`] old. Those who come meanwhile share one look.
    async fn asked(&self, services: Option<&Services>) -> Page {
        let mut kept = self.kept.lock().await;
        if let Some((at, page)) = &*kept
            && at.elapsed() < KEPT_TIME
        {
            return page.clone();
        }
        let page = self.ask(services).await;
        *kept = Some((Instant::now(), page.clone()));
        page
    }

    async fn ask(&self, services: Option<&Services>) -> Page {
        let of_servers = join_all(self.databases.iter().filter(|watched| watched.is_first).map(async |watched| {
            let mut page = Page::default();
            exporter::show_server(&watched.lookout, &mut page, &watched.server).await;
            page
        }));
        let of_databases = join_all(self.databases.iter().map(async |watched| {
            let Watched { service, server, lookout, .. } = watched;
            let mut page = Page::default();
            let is_up = exporter::show_database(lookout, &mut page, server, service.database()).await;
            page.sample(&DATABASE_UP, &[("database", service.name())], u8::from(is_up));
            page
        }));
        let backlogs = async {
            let mut page = Page::default();
            if let Some(services) = services {
                services.show_backlogs(&mut page).await;
            }
            page
        };
        let ((servers, databases), backlogs) = join(join(of_servers, of_databases), backlogs).await;
        let mut page = backlogs;
        servers.iter().chain(&databases).for_each(|part| page.merge(part));
        page
    }
}

impl Shown {
    async fn page(&self) -> Page {
        let mut page = self.metrics.asked(self.services.as_ref()).await;
        if let Some(services) = &self.services {
            services.show_figures(&mut page);
        }
        if let Some(backups) = &self.metrics.backups {
            backups.show(&mut page);
        }
        self.metrics.process.show(&mut page);
        for (section, file) in &self.metrics.certificates {
            if let Ok(ends) = expires_at(file) {
                page.sample(&CERTIFICATE_ENDS, &[("section", section)], ends.as_second());
            }
        }
        page.sample(&BUILD, &[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.sample(&SESSIONS_HEARD, &[], u8::from(self.revocations.is_current()));
        page
    }
}

/// Figures for Prometheus, for who shows the token of `metrics.token`.
#[utoipa::path(get, path = "/metrics", tag = "operations", security(("metrics_token" = [])), responses(
    (status = 200, description = "Prometheus text format", body = String, content_type = "text/plain"),
    (status = 401, description = "The token is missing or wrong")))]
async fn metrics_page(State(shown): State<Shown>, parts: Parts) -> Result<impl IntoResponse, Problem> {
    if !shows(&parts, shown.metrics.token.reveal()) {
        let detail = "Figures are for Prometheus: send the token of secrets/metrics-token as Authorization: Bearer.";
        return Err(Problem::unauthorized("metrics_token_invalid", detail));
    }
    let text = shown.page().await.to_string();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
