//! PaymentService: payment methods, checkouts, orders, charges, refunds and the money ledger.
//!
//! To see how an order is placed, read [`operations::place_checkout`] from top to bottom.

mod answer;
mod attention;
mod billing;
mod card;
mod card_token;
mod checkout;
mod checks;
mod config;
mod dispute;
mod event;
mod figures;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod gateway;
mod http;
mod idempotency;
mod jobs;
mod limits;
mod migrations;
pub mod operations;
mod order;
mod payment_method;
mod personal;
mod purges;
mod refund;
mod sealed;
mod service;
mod steps;
mod store;
mod webhook;

pub use card::{Brand, Card, CardNumber};
pub use checks::CHECKS;
pub use config::PaymentsConfig;
pub use migrations::MIGRATIONS;
pub use purges::purges;
pub use sealed::SEALED_COLUMNS;
pub use service::{Payments, StartError};
pub use store::checkouts::{CHECKOUT_LINES, CheckoutLine, checkout_lines};

#[cfg(test)]
mod tests;
