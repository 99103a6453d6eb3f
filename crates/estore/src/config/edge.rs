//! The section `[edge]`: how the shop meets its clients.

use std::time::Duration;

use estore_kit::edge::{EdgeLimits, Origins, Proxies, Rules};
use serde::Deserialize;

/// As many connections as a process can have open.
const CONNECTIONS_MAX: usize = 1_000_000;
/// As long as a client can reasonably be waited for.
const SECONDS_MAX: usize = 3_600;

/// The section `[edge]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeConfig {
    /// The origins whose pages may call from a browser, such as `https://shop.example.com`; none where it is left out.
    pub allowed_origins: Vec<String>,
    /// Addresses and networks of proxies, such as `10.0.0.0/8`: who connects through them is who `X-Forwarded-For` names.
    pub trusted_proxies: Vec<String>,
    /// How many connections are served at a time, 1 to 1,000,000; further ones wait.
    pub connections_max: usize,
    /// How many of them one address may have, 1 to 1,000,000; further ones are closed.
    pub connections_per_address_max: usize,
    /// How long a client may take to send a request's head, and a connection may lie idle, in seconds, 1 to 3,600.
    pub header_seconds_max: usize,
    /// How long a request may take, its body and its answer, in seconds, 1 to 3,600; files have limits of their own.
    pub request_seconds_max: usize,
    /// How long a client may take nothing of what is sent to it, in seconds, 1 to 3,600.
    pub write_seconds_max: usize,
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
        Ok(EdgeLimits {
            connections_max: within("connections_max", self.connections_max, CONNECTIONS_MAX)?,
            connections_per_address_max: within(
                "connections_per_address_max",
                self.connections_per_address_max,
                CONNECTIONS_MAX,
            )?,
            proxies: self.proxies()?,
            header_time_max: seconds("header_seconds_max", self.header_seconds_max)?,
            request_time_max: seconds("request_seconds_max", self.request_seconds_max)?,
            write_time_max: seconds("write_seconds_max", self.write_seconds_max)?,
            ..EdgeLimits::default()
        })
    }

    /// The proxies whose word is taken.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    fn proxies(&self) -> Result<Proxies, String> {
        Proxies::read(&self.trusted_proxies).map_err(|error| format!("edge.trusted_proxies: {error}"))
    }
}

fn within(name: &str, value: usize, most: usize) -> Result<usize, String> {
    let is_within = (1..=most).contains(&value);
    is_within.then_some(value).ok_or_else(|| format!("edge.{name} must be from 1 to {most}"))
}

fn seconds(name: &str, value: usize) -> Result<Duration, String> {
    Ok(Duration::from_secs(within(name, value, SECONDS_MAX)? as u64))
}

#[cfg(test)]
mod tests {
    use super::EdgeConfig;

    #[test]
    fn what_is_out_of_its_range_is_refused_by_name() {
        assert!(EdgeConfig::default().rules(false).is_ok());
        let none = EdgeConfig { connections_max: 0, ..EdgeConfig::default() }.rules(false).unwrap_err();
        assert_eq!(none, "edge.connections_max must be from 1 to 1000000");
        for wrong in [0, 3_601] {
            let slow = EdgeConfig { write_seconds_max: wrong, ..EdgeConfig::default() }.rules(false).unwrap_err();
            assert_eq!(slow, "edge.write_seconds_max must be from 1 to 3600");
        }
    }
}
