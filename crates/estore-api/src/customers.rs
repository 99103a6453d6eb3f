//! What PaymentService tells its neighbours of a customer: only it has their purchases.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::neighbour::{CallError, Neighbour};

/// What a customer may take away, as the routes of PaymentService show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Purchases {
    /// Payment methods that are not taken off.
    pub payment_methods: Vec<Value>,
    /// Orders, newest first.
    pub orders: Vec<Value>,
    /// Whether there are older orders, which `GET /v1/orders` lists.
    pub has_more_orders: bool,
}

/// What a neighbour may ask of PaymentService.
#[async_trait]
pub trait CustomersApi: Send + Sync {
    /// What there is of a customer; nothing is no fault.
    async fn purchases(&self, user_id: i32) -> Result<Purchases, CallError>;
}

/// The internal route, a `POST` of the customer's id as JSON.
pub const PURCHASES_ROUTE: &str = "/internal/v1/customers/purchases";

/// PaymentService in another process.
#[derive(Debug, Clone)]
pub struct CustomersClient(pub Neighbour);

#[async_trait]
impl CustomersApi for CustomersClient {
    async fn purchases(&self, user_id: i32) -> Result<Purchases, CallError> {
        self.0.call(PURCHASES_ROUTE, &user_id).await
    }
}
