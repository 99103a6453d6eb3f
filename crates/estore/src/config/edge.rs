//! The section `[edge]`: how the shop meets its clients.

use std::time::Duration;

use estore_kit::edge::{EdgeLimits, Origins, Proxies, Rules};
use serde::Deserialize;
use tokio::sync::Semaphore;

/// The section `[edge]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeConfig {
    /// The origins whose pages may call from a browser, such as `https://shop.example.com`; none where it is left out.
    pub allowed_origins: Vec<String>,
    /// Addresses and networks of proxies, such as `10.0.0.0/8`: who connects through them is who `X-Forwarded-For` names.
    pub trusted_proxies: Vec<String>,
    /// How many connections are served at a time; further ones wait.
    pub connections_max: usize,
    /// How many of them one address may have; further ones are closed.
    pub connections_per_address_max: usize,
    /// How long a client may take to send a request's head, and a connection may lie idle, in seconds, from 1.
    pub header_seconds_max: u64,
    /// How long a request may take, its body and its answer, in seconds, from 1; files have limits of their own.
    pub request_seconds_max: u64,
    /// How long a client may take nothing of what is sent to it, in seconds, from 1.
    pub write_seconds_max: u64,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            connections_max: 10_000,
            connections_per_address_max: 1_000,
            header_seconds_max: 10,
            request_seconds_max: 30,
            write_seconds_max: 30,
        }
    }
}

impl EdgeConfig {
    /// What the edge holds to.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn rules(&self, is_https: bool) -> Result<Rules, String> {
        let origins = Origins::read(&self.allowed_origins).map_err(|error| format!("edge.allowed_origins: {error}"))?;
        Ok(Rules { limits: self.limits()?, origins, is_https, ..Rules::default() })
    }

    fn limits(&self) -> Result<EdgeLimits, String> {
        let seconds = |seconds: u64| Duration::from_secs(seconds.max(1));
        Ok(EdgeLimits {
            connections_max: self.connections_max.clamp(1, Semaphore::MAX_PERMITS),
            connections_per_address_max: self.connections_per_address_max.max(1),
            proxies: self.proxies()?,
            header_time_max: seconds(self.header_seconds_max),
            request_time_max: seconds(self.request_seconds_max),
            write_time_max: seconds(self.write_seconds_max),
            ..EdgeLimits::default()
        })
    }

    /// The proxies whose word is taken.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn proxies(&self) -> Result<Proxies, String> {
        Proxies::read(&self.trusted_proxies).map_err(|error| format!("edge.trusted_proxies: {error}"))
    }
}
