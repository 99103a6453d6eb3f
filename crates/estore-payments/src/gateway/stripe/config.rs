//! What can be set about Stripe.

use std::path::PathBuf;

pub use estore_kit::secret::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

/// When the money of a charge is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// At once.
    #[default]
    Automatic,
    /// Reserved at once, and taken when staff set the order paid.
    Manual,
}

/// The section `[payments.stripe]` of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StripeConfig {
    /// The secret or restricted key: `sk_…` or `rk_…`.
    pub api_key: Option<Secret>,
    /// A file that holds it instead.
    pub api_key_file: Option<PathBuf>,
    /// The key that browsers use, told to buyers whose bank wants to see them: `pk_…`.
    pub publishable_key: Option<String>,
    /// What Stripe signs its webhook with: `whsec_…`. Without one no webhook is served.
    pub webhook_secret: Option<Secret>,
    /// A file that holds it instead.
    pub webhook_secret_file: Option<PathBuf>,
    /// Where Stripe is.
    pub base_url: String,
    /// When money is taken.
    pub capture: Capture,
    /// How long a buyer may take to satisfy the bank before the checkout is given up, in minutes, 1 to 1,440.
    pub buyer_minutes: u32,
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self {
            api_key: None,
            api_key_file: None,
            publishable_key: None,
            webhook_secret: None,
            webhook_secret_file: None,
            base_url: "https://api.stripe.com".to_owned(),
            capture: Capture::Automatic,
            buyer_minutes: 15,
        }
    }
}

impl StripeConfig {
    /// The secret key, or what is missing.
    pub(crate) fn key(&self) -> Result<Secret, String> {
        let key = given("api_key", self.api_key.as_ref(), self.api_key_file.as_ref())?;
        let key = key.ok_or("payments.gateway is \"stripe\": set payments.stripe.api_key or api_key_file")?;
        if !(key.reveal().starts_with("sk_") || key.reveal().starts_with("rk_")) {
            return Err("payments.stripe.api_key must be a secret key (sk_…) or a restricted one (rk_…)".to_owned());
        }
        if !(self.base_url.starts_with("https://") || self.base_url.starts_with("http://")) {
            return Err("payments.stripe.base_url must be an http or https URL".to_owned());
        }
        if !(1..=1_440).contains(&self.buyer_minutes) {
            return Err("payments.stripe.buyer_minutes must be from 1 to 1440".to_owned());
        }
        Ok(key)
    }

    /// What webhooks are signed with, where it is set.
    pub(crate) fn webhook_secret(&self) -> Result<Option<Secret>, String> {
        given("webhook_secret", self.webhook_secret.as_ref(), self.webhook_secret_file.as_ref())
    }
}

fn given(name: &str, text: Option<&Secret>, file: Option<&PathBuf>) -> Result<Option<Secret>, String> {
    match (text, file) {
        (Some(_), Some(_)) => Err(format!("payments.stripe: set {name} or {name}_file, not both")),
        (Some(text), None) => Ok(Some(text.clone())),
        (None, Some(file)) => match std::fs::read_to_string(file).map(Zeroizing::new) {
            Ok(text) => Ok(Some(Secret::from(text.trim()))),
            Err(error) => Err(format!("payments.stripe.{name}_file: {}: {error}", file.display())),
        },
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Secret, StripeConfig};

    #[test]
    fn a_key_is_needed_and_never_prints() {
        assert!(StripeConfig::default().key().unwrap_err().contains("api_key"));
        let public = StripeConfig { api_key: Some(Secret::from("pk_test_1")), ..StripeConfig::default() };
        assert!(!public.key().unwrap_err().contains("pk_test_1"));
        let set = StripeConfig { api_key: Some(Secret::from("sk_test_1")), ..StripeConfig::default() };
        assert_eq!(set.key().unwrap().reveal(), "sk_test_1");
        assert!(!format!("{set:?}").contains("sk_test_1"));
    }
}
