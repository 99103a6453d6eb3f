//! Checkouts: lines that are bought, charged and answered together.

use std::collections::HashMap;

use axum::http::StatusCode;
use estore_api::inventory::{HeldLine, HoldLine};
use estore_kit::db::Uncarried;
use estore_kit::money::Cents;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::Answer;
use crate::order::{Order, OrderStatus};

/// What a buyer asked for, checked.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) user_id: i32,
    pub(crate) key: String,
    pub(crate) request_hash: [u8; 32],
    pub(crate) operation: Operation,
    /// Merged: a product stands in one line.
    pub(crate) lines: Vec<HoldLine>,
    /// For each product in `lines`, where it stands in the body.
    pub(crate) pointers: Vec<(i32, String)>,
    pub(crate) payment_method_id: i32,
    pub(crate) metadata: serde_json::Map<String, serde_json::Value>,
}

/// Which route was asked, and so what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `POST /v1/checkouts`: the checkout with all its orders.
    Checkout,
    /// `POST /v1/orders`: the one order.
    Order,
}

impl Operation {
    /// The word in the database.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Order => "order",
        }
    }

    /// The operation of a word.
    pub(crate) fn of(word: &str) -> Self {
        if word == "order" { Self::Order } else { Self::Checkout }
    }
}

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckoutStatus {
    /// The charge is under way.
    Pending,
    /// Charged.
    Paid,
    /// Not charged, and over.
    Failed,
}

impl CheckoutStatus {
    /// The state of a word.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "paid" => Self::Paid,
            "failed" => Self::Failed,
            _ => Self::Pending,
        }
    }
}

/// A checkout with its orders.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Checkout {
    /// The checkout.
    pub(crate) id: Uuid,
    /// Where it stands.
    pub(crate) status: CheckoutStatus,
    /// The sum of its orders, in cents.
    pub(crate) total_amount: i64,
    /// Three letters of ISO 4217.
    #[schema(example = "USD")]
    pub(crate) currency: String,
    /// What it was paid with.
    pub(crate) payment_method_id: i32,
    /// Its lines, an order each.
    pub(crate) orders: Vec<Order>,
    /// When it was placed.
    pub(crate) created_at: Timestamp,
    /// Since when staff must look at it, because the gateway stays silent; else `null`.
    pub(crate) needs_attention_since: Option<Timestamp>,
    /// What the buyer attached.
    #[schema(value_type = Object)]
    pub(crate) metadata: serde_json::Value,
}

impl Checkout {
    /// The 201 of a checkout whose charge went through at `at`.
    pub(crate) fn paid_answer(mut self, operation: Operation, at: Timestamp) -> Answer {
        self.status = CheckoutStatus::Paid;
        for order in &mut self.orders {
            order.status = OrderStatus::Paid;
            order.updated_at = Some(at);
        }
        self.placed_answer(operation)
    }

    /// The 201 of a checkout as it stands.
    pub(crate) fn placed_answer(&self, operation: Operation) -> Answer {
        let answer = match (operation, self.orders.as_slice()) {
            (Operation::Order, [order]) => Answer::json(StatusCode::CREATED, order),
            _ => Answer::json(StatusCode::CREATED, self),
        };
        let has_metadata = self.metadata.as_object().is_some_and(|metadata| !metadata.is_empty());
        Answer { about: has_metadata.then_some(self.id), ..answer }
    }
}

/// A line with its price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PricedLine {
    pub(crate) product_id: i32,
    pub(crate) quantity: i32,
    pub(crate) unit_price: i32,
    pub(crate) total_amount: i32,
}

/// A checkout that holds its stock, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) id: Uuid,
    pub(crate) user_id: i32,
    pub(crate) key: String,
    pub(crate) operation: Operation,
    pub(crate) lines: Vec<PricedLine>,
    pub(crate) total_amount: Cents,
    pub(crate) payment_method_id: i32,
    pub(crate) gateway_token: String,
    /// What the buyer attached, its personal leaves sealed.
    pub(crate) metadata: serde_json::Value,
    pub(crate) created_at: Timestamp,
    /// Its hold, where that may not have waited for the disk.
    pub(crate) held: Option<Uncarried>,
}

impl Draft {
    /// The metadata of each of its orders: the buyer's where the order is all of the checkout.
    pub(crate) fn order_metadata(&self) -> serde_json::Value {
        match self.operation {
            Operation::Order => self.metadata.clone(),
            Operation::Checkout => serde_json::json!({}),
        }
    }

    /// The checkout as it was written, given the order ids of its products.
    pub(crate) fn written(self, orders: &HashMap<i32, i32>, currency: &str) -> Checkout {
        let metadata = self.order_metadata();
        let order = |line: &PricedLine| {
            let id = *orders.get(&line.product_id)?;
            Some(Order {
                id,
                checkout_id: self.id,
                user_id: self.user_id,
                product_id: line.product_id,
                quantity: line.quantity,
                unit_price: line.unit_price,
                total_amount: line.total_amount,
                refunded_amount: 0,
                currency: currency.to_owned(),
                status: OrderStatus::Pending,
                payment_method_id: Some(self.payment_method_id),
                created_at: self.created_at,
                updated_at: None,
                metadata: metadata.clone(),
            })
        };
        let mut orders: Vec<Order> = self.lines.iter().filter_map(order).collect();
        orders.sort_unstable_by_key(|order| order.id);
        Checkout {
            id: self.id,
            status: CheckoutStatus::Pending,
            total_amount: self.total_amount.0,
            currency: currency.to_owned(),
            payment_method_id: self.payment_method_id,
            orders,
            created_at: self.created_at,
            needs_attention_since: None,
            metadata: self.metadata,
        }
    }
}

/// The products whose line total does not fit an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooLarge(pub(crate) Vec<i32>);

/// The lines with their totals, and the sum.
pub(crate) fn price(held: &[HeldLine]) -> Result<(Vec<PricedLine>, Cents), TooLarge> {
    let mut lines = Vec::with_capacity(held.len());
    let mut too_large = Vec::new();
    let mut sum = Cents::ZERO;
    for line in held {
        let HeldLine { product_id, quantity, unit_price } = *line;
        let total = Cents(i64::from(unit_price)).times(quantity);
        match (total.and_then(Cents::line), total.and_then(|total| sum.plus(total))) {
            (Some(total_amount), Some(new_sum)) => {
                sum = new_sum;
                lines.push(PricedLine { product_id, quantity, unit_price, total_amount });
            }
            _ => too_large.push(product_id),
        }
    }
    if too_large.is_empty() { Ok((lines, sum)) } else { Err(TooLarge(too_large)) }
}

#[cfg(test)]
mod tests {
    use estore_api::inventory::HeldLine;

    use super::{TooLarge, price};

    fn line(product_id: i32, quantity: i32, unit_price: i32) -> HeldLine {
        HeldLine { product_id, quantity, unit_price }
    }

    #[test]
    fn totals_are_price_times_quantity() {
        let (lines, sum) = price(&[line(1, 3, 250), line(2, 1, 0), line(3, 1, i32::MAX)]).unwrap();
        assert_eq!(lines.iter().map(|l| l.total_amount).collect::<Vec<_>>(), [750, 0, i32::MAX]);
        assert_eq!(sum.0, 750 + i64::from(i32::MAX));
    }

    #[test]
    fn lines_beyond_the_column_are_named() {
        let result = price(&[line(1, 2, i32::MAX), line(2, 1, 1), line(3, i32::MAX, i32::MAX)]);
        assert_eq!(result, Err(TooLarge(vec![1, 3])));
    }
}
