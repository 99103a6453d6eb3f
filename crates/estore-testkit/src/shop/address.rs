//! Where a shop is reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a shop is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Processes {
    /// `estore up`.
    One,
    /// `estore db run` and `estore serve` for each service.
    Three,
}

impl Processes {
    /// The environment variable that names the standing shop of this kind.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::One => "ESTORE_TEST_SHOP_ONE",
            Self::Three => "ESTORE_TEST_SHOP_THREE",
        }
    }
}

/// Where a shop is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    /// Base URL of UserService.
    pub users: String,
    /// Base URL of InventoryService.
    pub inventory: String,
    /// Base URL of PaymentService.
    pub payments: String,
    /// Its data directory.
    pub data_dir: PathBuf,
}

impl Address {
    /// The URL of a public path, at the service that owns it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        let base = if starts(&["/v1/categories", "/v1/products"]) {
            &self.inventory
        } else if starts(PAYMENTS) {
            &self.payments
        } else {
            &self.users
        };
        format!("{base}{path}")
    }
}

/// What a load balancer sends to PaymentService.
const PAYMENTS: &[&str] =
    &["/v1/payment-methods", "/v1/checkouts", "/v1/orders", "/v1/refunds", "/v1/disputes", "/v1/webhook-endpoints"];

/// A free address; the one used before, when there was one.
///
/// Below the ports that the kernel gives to clients: else a buyer who knocks at a killed shop may take its port.
pub(super) fn free_url(before: &str) -> String {
    if !before.is_empty() {
        return before.to_owned();
    }
    let ports = std::iter::repeat_with(|| rand::random_range(10_000..32_000_u16));
    let free = ports.take(1_000).find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
    format!("http://127.0.0.1:{}", free.expect("a free port"))
}

pub(super) fn host(url: &str) -> &str {
    url.trim_start_matches("http://")
}
