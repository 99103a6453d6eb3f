//! What an order pays for being read and for being answered, counted by `script/instructions`.

use estore_kit::auth::{Caller, Permissions};

use super::{NewLine, NewOrder, Operation, Placement, Wanted, checked, request_hash};
use crate::idempotency::IdempotencyKey;
use crate::order::{Order, OrderStatus};

#[inline(never)]
fn counted_read_order(caller: &Caller, body: &[u8]) -> Option<Placement> {
    let order: NewOrder = serde_json::from_slice(body).ok()?;
    let hash = request_hash("POST /v1/orders", &order);
    let NewOrder { product_id, quantity, payment_method_id, metadata } = order;
    let lines = vec![NewLine { product_id, quantity }];
    let wanted = Wanted { operation: Operation::Order, lines, payment_method_id, metadata };
    checked(caller, IdempotencyKey("01900000-0000-7000-8000-000000000001".to_owned()), hash, wanted).ok()
}

#[test]
fn read_order() {
    let caller = Caller {
        user_id: 7,
        session_id: String::new(),
        authenticated_at: 0,
        verified: true,
        permissions: Permissions::NONE,
        is_admin: false,
        is_key: false,
    };
    let body = br#"{"product_id":4711,"quantity":2,"payment_method_id":42,"metadata":{"note":"by the door"}}"#;
    for _ in 0..200 {
        assert_eq!(counted_read_order(&caller, body).unwrap().lines.len(), 1);
    }
}

#[inline(never)]
fn counted_print_order(order: &Order) -> Vec<u8> {
    serde_json::to_vec(order).unwrap_or_default()
}

#[test]
fn print_order() {
    let order = Order {
        id: 1_234_567,
        checkout_id: uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
        user_id: 7,
        product_id: 4_711,
        quantity: 2,
        unit_price: 1_250,
        total_amount: 2_500,
        refunded_amount: 0,
        currency: "USD".to_owned(),
        status: OrderStatus::Paid,
        payment_method_id: Some(42),
        created_at: "2026-11-22T10:00:00.25Z".parse().unwrap(),
        updated_at: Some("2026-11-22T10:00:00.5Z".parse().unwrap()),
        metadata: serde_json::json!({"note": "by the door"}),
    };
    for _ in 0..200 {
        assert!(counted_print_order(&order).starts_with(b"{\"id\":1234567,"));
    }
}
