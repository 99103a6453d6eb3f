//! What can be set about PaymentService.

use std::path::PathBuf;
use std::sync::Arc;

use estore_kit::field::Fields;
use serde::Deserialize;

use crate::gateway::stripe::config::StripeConfig;
use crate::limits::WEBHOOK_RETRIES_MAX;

/// The section `[payments]` of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentsConfig {
    /// The shop's currency, three capital letters of ISO 4217.
    pub currency: String,
    /// Which gateway charges cards: `sandbox`, `stripe`, or `manual` for payment by invoice.
    pub gateway: String,
    /// How long a checkout may be under way before another process takes it over, in seconds, 1 to 3,600.
    pub resume_after_seconds: u32,
    /// How long finished idempotency keys are kept, in hours, at least 24.
    pub keys_kept_hours: u32,
    /// Stripe, where it is the gateway.
    pub stripe: StripeConfig,
    /// Whether buyers get letters about their orders.
    pub order_mails: bool,
    /// The file of the key that webhook secrets are derived from, made when it is missing. Every process of this
    /// service needs the same one. Without a path, secrets end with the process.
    pub webhook_key_file: PathBuf,
    /// Whether webhooks may go to plain HTTP and to addresses inside this network; for development only.
    pub webhooks_allow_private: bool,
    /// Seals what is personal in what buyers attach; under a key that ends with the process where nothing is given.
    #[serde(skip)]
    pub fields: Option<Arc<Fields>>,
    /// How long after each failed attempt to deliver a webhook the next one follows, in seconds; after the last, the
    /// delivery is dead.
    pub webhook_retry_seconds: Vec<u32>,
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        Self {
            currency: "USD".to_owned(),
            gateway: "sandbox".to_owned(),
            resume_after_seconds: 15,
            keys_kept_hours: 48,
            stripe: StripeConfig::default(),
            order_mails: true,
            webhook_key_file: PathBuf::new(),
            webhooks_allow_private: false,
            fields: None,
            // Three days: soon at first, for a receiver that restarts, then for one whose people sleep.
            webhook_retry_seconds: vec![5, 60, 600, 3_600, 10_800, 21_600, 36_000, 50_400, 64_800, 72_000],
        }
    }
}

impl PaymentsConfig {
    /// Fine, or the key that is wrong and the mend.
    ///
    /// # Errors
    /// The key and the mend, in words.
    pub fn check(&self) -> Result<(), String> {
        if !["sandbox", "stripe", "manual"].contains(&self.gateway.as_str()) {
            return Err(format!("payments.gateway must be sandbox, stripe or manual, not {:?}", self.gateway));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err("payments.currency must be three capital letters, such as USD".to_owned());
        }
        if !(1..=3_600).contains(&self.resume_after_seconds) {
            return Err("payments.resume_after_seconds must be from 1 to 3600".to_owned());
        }
        if !(24..=8_760).contains(&self.keys_kept_hours) {
            return Err("payments.keys_kept_hours must be from 24 to 8760".to_owned());
        }
        if self.webhook_retry_seconds.len() > WEBHOOK_RETRIES_MAX {
            return Err(format!("payments.webhook_retry_seconds must have at most {WEBHOOK_RETRIES_MAX} numbers"));
        }
        Ok(())
    }
}
