//! `/health/live` and `/health/ready`.

pub mod warnings;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use estore_kit::auth::Revocations;
use estore_kit::db::Db;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::warnings::Warnings;
use crate::watched::Watched;

/// How long a database may take to answer before it counts as away.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

/// What readiness looks at.
#[derive(Debug, Clone)]
pub struct Health {
    /// The databases that the process needs: how they are worked with, and how they are looked at.
    pub databases: Arc<[Db]>,
    pub watched: Arc<[Watched]>,
    /// Sessions that have ended: where news of them stays away, requests are served all the same.
    pub revocations: Arc<Revocations>,
    /// What else should be looked at; none while the databases are waited for.
    pub warnings: Option<Arc<Warnings>>,
}

/// The state of one part.
#[derive(Debug, Serialize, ToSchema)]
struct Part {
    /// What it is.
    #[schema(example = "payments")]
    name: String,
    /// Whether it is as it should be.
    ok: bool,
    /// What to do where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
}

/// Whether the shop can serve.
#[derive(Debug, Serialize, ToSchema)]
struct HealthReport {
    /// `ok`, `degraded` (requests are served, a part is away or should be looked at) or `unavailable`.
    status: &'static str,
    /// The parts looked at.
    parts: Vec<Part>,
}

impl Health {
    /// The health routes.
    pub fn router(self) -> OpenApiRouter {
        OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).with_state(self)
    }

    async fn databases(&self) -> Vec<Part> {
        let looks = self.databases.iter().zip(self.watched.iter()).map(|(db, watched)| async move {
            // Under full load connections are waited for: no reason to take the process out of service.
            let ok = db.answers(ANSWER_TIME_MAX).await || (db.is_busy() && watched.lookout.answers().await);
            let mend = (!ok).then_some("Is PostgreSQL running? `estore doctor` tells more.");
            Part { name: watched.service.name().to_owned(), ok, mend }
        });
        futures_util::future::join_all(looks).await
    }

    async fn report(&self) -> HealthReport {
        let mut parts = self.databases().await;
        let serves = parts.iter().all(|part| part.ok);
        let hears = self.revocations.is_current();
        let mend =
            (!hears).then_some("Ended sessions are not heard of; the last list is heeded. Does UserService run?");
        parts.push(Part { name: "ended_sessions".to_owned(), ok: hears, mend });
        if let Some(warnings) = &self.warnings {
            parts.extend(warnings.parts());
        }
        let is_whole = parts.iter().all(|part| part.ok);
        let status = match (serves, is_whole) {
            (false, _) => "unavailable",
            (true, false) => "degraded",
            (true, true) => "ok",
        };
        HealthReport { status, parts }
    }
}

/// Whether the process runs.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, description = "It runs", body = HealthReport)))]
async fn live() -> impl IntoResponse {
    axum::Json(HealthReport { status: "ok", parts: Vec::new() })
}

/// Whether the process can serve: its databases answer, and what else it needs is named.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses(
    (status = 200, description = "It can serve", body = HealthReport),
    (status = 503, description = "A part is away; it is named", body = HealthReport)))]
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let report = health.report().await;
    let is_away = report.status == "unavailable";
    let status = if is_away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, axum::Json(report))
}
