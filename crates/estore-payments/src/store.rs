//! Calls the SQL in `queries/`.

pub(crate) mod attention;
pub(crate) mod checkouts;
pub(crate) mod customers;
pub(crate) mod disputes;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod notices;
pub(crate) mod orders;
pub(crate) mod payment_methods;
pub(crate) mod refunds;
pub(crate) mod sandbox;
pub(crate) mod settlements;
pub(crate) mod stripe;
pub(crate) mod waiting;
pub(crate) mod webhook_endpoints;
pub(crate) mod webhooks;
