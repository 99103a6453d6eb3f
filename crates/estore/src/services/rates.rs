//! What counts requests at the edge.

use std::sync::Arc;

use axum::http::Method;
use estore_kit::edge::{RateLimits, Rates};
use utoipa::openapi::path::PathItem;

use super::Services;
use crate::config::Config;

impl Services {
    /// What counts requests at the edge; nothing where there is no limit.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn rates(&self, config: &Config) -> Result<Option<Rates>, String> {
        let limits = config.rates()?;
        self.check(&limits)?;
        Ok(Rates::new(limits, Arc::clone(&self.verifier), Arc::clone(&self.limited)))
    }

    /// A limit of a route that there is not would hold nobody. Where services are in processes of their own, it may be a
    /// route of another one's.
    fn check(&self, limits: &RateLimits) -> Result<(), String> {
        let (_, api) = self.routes().split_for_parts();
        let is_whole = self.users.is_some() && self.inventory.is_some() && self.payments.is_some();
        for (method, path, _) in &limits.routes {
            if api.paths.paths.get(path).is_some_and(|item| has(item, method)) {
                continue;
            }
            let told =
                format!("rate_limits.routes: there is no \"{method} {path}\" here; /openapi.json lists what there is");
            if is_whole {
                return Err(told);
            }
            tracing::warn!("{told}");
        }
        Ok(())
    }
}

fn has(item: &PathItem, method: &Method) -> bool {
    let found = match *method {
        Method::POST => &item.post,
        Method::PUT => &item.put,
        Method::PATCH => &item.patch,
        Method::DELETE => &item.delete,
        _ => &None,
    };
    found.is_some()
}
