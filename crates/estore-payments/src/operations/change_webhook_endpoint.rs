//! An endpoint is changed, paused, or taken up again.

use axum::http::StatusCode;
use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use uuid::Uuid;

use super::create_webhook_endpoint::check_events;
use crate::event::EventType;
use crate::http::etag;
use crate::limits::ENDPOINT_DESCRIPTION_CHARACTERS_MAX;
use crate::service::{Shop, now};
use crate::store::webhook_endpoints as store;
use crate::webhook::WebhookEndpoint;

/// What an administrator asks for; what is left out stays.
#[derive(Debug, Clone)]
pub(crate) struct EndpointChange {
    pub(crate) id: Uuid,
    pub(crate) url: Option<String>,
    pub(crate) events: Option<Vec<EventType>>,
    pub(crate) description: Option<Option<String>>,
    pub(crate) is_active: Option<bool>,
    pub(crate) actor_id: i32,
    /// The `ETag` that the change is based on.
    pub(crate) if_match: Option<String>,
}

/// Why an endpoint stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// A field breaks a rule.
    #[error("a field breaks a rule")]
    Invalid(Box<Problem>),
    /// There is no such endpoint, or it was deleted.
    #[error("no such endpoint")]
    NoEndpoint,
    /// It has changed since the caller looked.
    #[error("the endpoint has changed")]
    Changed,
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Invalid(problem) => *problem,
            ChangeError::NoEndpoint => Self::not_found("webhook endpoint"),
            ChangeError::Changed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "The webhook endpoint has changed since you read it. Read it again and decide anew.",
            ),
            ChangeError::Database(error) => error.into(),
        }
    }
}

/// Changes it. What is still on its way goes to the new address; to a paused one nothing goes, and it is dead.
pub(crate) async fn change_webhook_endpoint(
    shop: &Shop,
    mut change: EndpointChange,
) -> Result<WebhookEndpoint, ChangeError> {
    check(shop, &mut change).map_err(|problem| ChangeError::Invalid(Box::new(problem)))?;
    let mut client = shop.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let locked = store::lock(&transaction, change.id).await?.ok_or(ChangeError::NoEndpoint)?;
    let mut endpoint = locked.endpoint;
    if change.if_match.as_deref().is_some_and(|tag| tag != "*" && tag != etag(&endpoint)) {
        return Err(ChangeError::Changed);
    }
    let at = now();
    endpoint.url = change.url.unwrap_or(endpoint.url);
    endpoint.events = change.events.unwrap_or(endpoint.events);
    endpoint.description = change.description.unwrap_or(endpoint.description);
    match change.is_active {
        Some(true) => (endpoint.is_active, endpoint.inactive_reason) = (true, None),
        Some(false) if endpoint.is_active => {
            endpoint.is_active = false;
            endpoint.inactive_reason = Some(format!("user {} paused it", change.actor_id));
        }
        _ => {}
    }
    endpoint.updated_at = Some(at);
    store::change(&transaction, &endpoint, at).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(endpoint)
}

fn check(shop: &Shop, change: &mut EndpointChange) -> Result<(), Problem> {
    let mut rules = Rules::new();
    if let Some(url) = &mut change.url {
        match shop.webhooks.sender.accept(url) {
            Ok(accepted) => *url = accepted,
            Err((code, rule)) => rules.broken("/url", code, rule),
        }
    }
    if let Some(events) = &mut change.events {
        check_events(&mut rules, events);
    }
    if let Some(Some(text)) = &change.description {
        rules.text("/description", text, 0..=ENDPOINT_DESCRIPTION_CHARACTERS_MAX);
    }
    rules.finish()
}
