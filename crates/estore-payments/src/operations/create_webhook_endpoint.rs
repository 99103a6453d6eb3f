//! A new place that hears of events.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use uuid::Uuid;

use crate::event::EventType;
use crate::limits::{ENDPOINT_DESCRIPTION_CHARACTERS_MAX, ENDPOINTS_MAX};
use crate::service::Shop;
use crate::store::webhook_endpoints;
use crate::webhook::WebhookEndpointWithSecret;

/// What an administrator asks for.
#[derive(Debug, Clone)]
pub(crate) struct EndpointWish {
    pub(crate) url: String,
    pub(crate) events: Vec<EventType>,
    pub(crate) description: Option<String>,
    pub(crate) actor_id: i32,
}

/// Why there is no new endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    /// A field breaks a rule.
    #[error("a field breaks a rule")]
    Invalid(Box<Problem>),
    /// There are as many as there may be.
    #[error("there are {ENDPOINTS_MAX} endpoints")]
    TooMany,
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Invalid(problem) => *problem,
            CreateError::TooMany => Self::conflict(
                "too_many_webhook_endpoints",
                format!("There are {ENDPOINTS_MAX} webhook endpoints, which is as many as there may be. Delete one."),
            ),
            CreateError::Database(error) => error.into(),
        }
    }
}

/// Makes it; the secret is told this once.
pub(crate) async fn create_webhook_endpoint(
    shop: &Shop,
    wish: EndpointWish,
) -> Result<WebhookEndpointWithSecret, CreateError> {
    let EndpointWish { url, mut events, description, actor_id } = wish;
    let mut rules = Rules::new();
    let accepted = shop.webhooks.sender.accept(&url);
    if let Err((code, rule)) = accepted {
        rules.broken("/url", code, rule);
    }
    check_events(&mut rules, &mut events);
    if let Some(text) = &description {
        rules.text("/description", text, 0..=ENDPOINT_DESCRIPTION_CHARACTERS_MAX);
    }
    rules.finish().map_err(|problem| CreateError::Invalid(Box::new(problem)))?;
    let id = Uuid::now_v7();
    let url = accepted.unwrap_or(url);
    let made = webhook_endpoints::insert(&shop.db, (id, actor_id), &url, &events, description.as_deref()).await?;
    let endpoint = made.ok_or(CreateError::TooMany)?;
    Ok(WebhookEndpointWithSecret { endpoint, secret: shop.webhooks.sender.secret(id, 1) })
}

/// Brings the kinds of events in order, each once.
pub(crate) fn check_events(rules: &mut Rules, events: &mut Vec<EventType>) {
    rules.require(!events.is_empty(), "/events", "length", "must name at least one event, or `all`");
    events.sort_unstable_by_key(|event| event.word());
    events.dedup();
}
