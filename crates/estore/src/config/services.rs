//! The section `[services]`.

use estore_api::neighbour::CALL_SECONDS_MAX;
use serde::Deserialize;

/// Neighbours by URL and the secret that the services share.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// UserService, whose published keys verify access tokens.
    pub users_url: Option<String>,
    /// InventoryService, which PaymentService calls.
    pub inventory_url: Option<String>,
    /// PaymentService, which delivers the events of the others.
    pub payments_url: Option<String>,
    /// At least 32 bytes; from the data directory when left out.
    pub secret: Option<String>,
    /// How long one call to another service may take, in seconds, from 1.
    pub call_seconds_max: u64,
}

impl Default for Services {
    fn default() -> Self {
        let [users_url, inventory_url, payments_url, secret] = Default::default();
        Self { users_url, inventory_url, payments_url, secret, call_seconds_max: CALL_SECONDS_MAX }
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("users_url", &self.users_url)
            .field("inventory_url", &self.inventory_url)
            .field("payments_url", &self.payments_url)
            .field("secret", &self.secret.as_ref().map(|_| "…"))
            .field("call_seconds_max", &self.call_seconds_max)
            .finish()
    }
}
