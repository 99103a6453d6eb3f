//! Events of other services have their effect here, and become deliveries, each once an endpoint.

use async_trait::async_trait;
use estore_api::events::{EVENTS_MAX, EventsApi, ServiceEvent};
use estore_api::neighbour::CallError;
use estore_kit::crash;

use crate::event::EventType;
use crate::operations::erase_customers::erase_customers;
use crate::service::{Payments, Shop};
use crate::store::webhooks;

fn failed(cause: impl ToString) -> CallError {
    CallError { service: "payments", cause: cause.to_string() }
}

#[async_trait]
impl EventsApi for Payments {
    async fn publish(&self, events: Vec<ServiceEvent>) -> Result<(), CallError> {
        publish_events(&self.shop, &events).await
    }
}

async fn publish_events(shop: &Shop, events: &[ServiceEvent]) -> Result<(), CallError> {
    // One of a kind that is not known here comes from a service of a later version: it is kept there until this one
    // knows it too.
    if let Some(unknown) = events.iter().find(|event| EventType::of(&event.kind).is_none()) {
        return Err(failed(format!("{:?} is not a kind of event", unknown.kind)));
    }
    for some in events.chunks(EVENTS_MAX) {
        crash::point("before_publish_events");
        erase_customers(shop, some).await.map_err(failed)?;
        let written = webhooks::publish(&shop.db, some).await.map_err(failed)?;
        crash::point("after_publish_events");
        shop.webhooks.written(written);
    }
    Ok(())
}
