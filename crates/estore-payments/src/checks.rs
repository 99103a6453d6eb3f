//! The promises of `estore_payments`, as queries that answer a description of each offending row.

use estore_kit::check::{AUDIT_IS_WRITTEN, Check, ROLES_ARE_NARROW, ROWS_ARE_CLOSED};

macro_rules! check {
    ($promise:literal, $name:literal) => {
        Check { promise: $promise, name: $name, sql: include_str!(concat!("../queries/checks/", $name, ".sql")) }
    };
}

/// The checks of `estore verify` on `estore_payments`. What is under way is not wrong and is not answered.
pub const CHECKS: &[Check] = &[
    check!(3, "key_with_several_checkouts"),
    check!(3, "key_answered_against_its_checkout"),
    check!(4, "order_total_not_price_times_quantity"),
    check!(4, "checkout_total_not_sum_of_orders"),
    check!(4, "checkout_paid_against_its_charge"),
    check!(4, "order_state_against_its_checkout"),
    check!(4, "sandbox_sale_without_paid_checkout"),
    check!(4, "stripe_charge_without_intent"),
    check!(5, "refunds_not_as_noted_on_order"),
    check!(5, "sandbox_refund_without_refund"),
    check!(6, "ledger_transaction_not_balanced"),
    check!(6, "charge_not_booked"),
    check!(6, "refund_not_booked"),
    check!(6, "dispute_not_booked"),
    check!(7, "order_state_without_event"),
    check!(7, "outbox_before_settlement"),
    check!(7, "delivery_without_event"),
    check!(8, "erased_customer_keeps_something"),
    ROWS_ARE_CLOSED,
    ROLES_ARE_NARROW,
    AUDIT_IS_WRITTEN,
    check!(12, "nobody_resumes"),
    check!(12, "nobody_delivers"),
];
