//! The section `[services]`.

use estore_api::neighbour::CALL_SECONDS_MAX;
use estore_kit::secret::Secret;
use serde::Deserialize;

/// Neighbours by URL and the secret that the services share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// UserService, whose published keys verify access tokens.
    pub users_url: Option<String>,
    /// InventoryService, which PaymentService calls.
    pub inventory_url: Option<String>,
    /// PaymentService, which delivers the events of the others.
    pub payments_url: Option<String>,
    /// At least 32 bytes; from the data directory when left out.
    pub secret: Option<Secret>,
    /// How long one call to another service may take, in seconds, from 1.
    pub call_seconds_max: u64,
}

impl Default for Services {
    fn default() -> Self {
        let ([users_url, inventory_url, payments_url], secret) = Default::default();
        Self { users_url, inventory_url, payments_url, secret, call_seconds_max: CALL_SECONDS_MAX }
    }
}
