//! The section `[edge]`: how the shop meets its clients.

use estore_kit::edge::{Origins, Proxies, Rules};
use serde::Deserialize;

/// The section `[edge]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeConfig {
    /// The origins whose pages may call from a browser, such as `https://shop.example.com`; none where it is left out.
    pub allowed_origins: Vec<String>,
    /// Addresses and networks of proxies, such as `10.0.0.0/8`: who connects through them is who `X-Forwarded-For` names.
    pub trusted_proxies: Vec<String>,
}

impl EdgeConfig {
    /// What the edge holds to.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn rules(&self, is_https: bool) -> Result<Rules, String> {
        let origins = Origins::read(&self.allowed_origins).map_err(|error| format!("edge.allowed_origins: {error}"))?;
        Ok(Rules { origins, is_https, ..Rules::default() })
    }

    /// The proxies whose word is taken.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn proxies(&self) -> Result<Proxies, String> {
        Proxies::read(&self.trusted_proxies).map_err(|error| format!("edge.trusted_proxies: {error}"))
    }
}
