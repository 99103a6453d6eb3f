//! Hears of sessions that end, in whichever process, so that their access tokens are refused at once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use estore_kit::db::DbError;
use estore_kit::listen::{Listener, listen};
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::limits::{ENDED_SESSIONS_BEAT, TOKEN_SECONDS_SLACK};
use crate::service::Service;

/// Listens until `shutdown`.
pub(crate) async fn run(service: &Arc<Service>, shutdown: &CancellationToken) {
    listen(&service.db, Arc::new(Ends(Arc::clone(service))), ENDED_SESSIONS_BEAT, shutdown).await;
}

struct Ends(Arc<Service>);

#[async_trait]
impl Listener for Ends {
    fn channel(&self) -> &'static str {
        "ended_sessions"
    }

    fn heard(&self, payload: &str) {
        self.0.revoke(payload);
    }

    async fn connected(&self, client: &Client) -> Result<(), DbError> {
        let seconds = i64::try_from(self.0.token_life().as_secs()).unwrap_or(i64::MAX);
        let sql = include_str!("../../queries/list_ended_sessions.sql");
        for row in client.query_typed(sql, &[(&seconds, Type::INT8)]).await? {
            self.0.revoke(&row.get::<_, Uuid>("session_id").to_string());
        }
        self.0.revocations.mark_current();
        Ok(())
    }

    /// What was said before the answer has been heard by then.
    async fn beat(&self, client: &Client) -> Result<(), DbError> {
        client.check_connection().await?;
        self.0.revocations.mark_current();
        Ok(())
    }

    fn lost(&self) {
        self.0.revocations.mark_lost();
    }
}

impl Service {
    /// Refuses the access tokens of a session from now on.
    pub(crate) fn revoke(&self, session_id: &str) {
        self.revocations.revoke(session_id, self.token_life());
    }

    /// How long after a session's end the last of its access tokens may be good.
    fn token_life(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.access_token_seconds)) + TOKEN_SECONDS_SLACK
    }
}
