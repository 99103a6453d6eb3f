//! Who may read the figures.

use serde::Deserialize;

/// The section `[metrics]`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// What Prometheus shows to be let in, at least 16 visible characters; from the data directory when left out.
    pub token: Option<String>,
}

impl std::fmt::Debug for MetricsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricsConfig").field("token", &self.token.as_ref().map(|_| "…")).finish()
    }
}
