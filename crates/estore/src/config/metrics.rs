//! Who may read the figures.

use estore_kit::secret::Secret;
use serde::Deserialize;

/// The section `[metrics]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// What Prometheus shows to be let in, at least 16 visible characters; from the data directory when left out.
    pub token: Option<Secret>,
}
