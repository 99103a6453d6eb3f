//! What the database itself refuses, and that every statement fits it.

use std::path::Path;

use deadpool_postgres::GenericClient;
use estore_kit::db::{Db, DbError};
use estore_testkit::cluster::TestCluster;
use tokio_util::sync::CancellationToken;

use super::bench::{BUYER, Bench, TEA};
use crate::order::OrderStatus;
use crate::{CHECKS, MIGRATIONS};

const SPECIFICATION: &str = "
-- db: payments
CREATE TABLE payment_methods (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    payment_type VARCHAR NOT NULL,
    details JSONB NOT NULL,
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX idx_payment_methods_user ON payment_methods(user_id);
CREATE INDEX idx_payment_methods_active ON payment_methods(is_active);
CREATE INDEX idx_payment_methods_details ON payment_methods USING gin (details);
CREATE TABLE orders (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    product_id VARCHAR NOT NULL,
    quantity INTEGER NOT NULL,
    total_amount INTEGER NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'pending',
    payment_method_id INTEGER REFERENCES payment_methods(id),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    metadata JSONB DEFAULT '{}'::jsonb,
    CONSTRAINT fk_payment_method FOREIGN KEY(payment_method_id) REFERENCES payment_methods(id)
);
CREATE INDEX idx_orders_user ON orders(user_id);
CREATE INDEX idx_orders_status ON orders(status);
CREATE INDEX idx_orders_metadata ON orders USING gin (metadata);
";

#[tokio::test]
async fn the_tables_are_the_specifications() {
    TestCluster::shared().await.assert_specified("payments", MIGRATIONS, SPECIFICATION).await;
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let bench = Bench::start().await;
    let client = bench.db.client().await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let mut seen = 0;
    for entry in [folder.clone(), folder.join("checks")].iter().flat_map(|path| path.read_dir().unwrap()) {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "sql") {
            let sql = std::fs::read_to_string(&path).unwrap();
            assert!(sql.starts_with("-- "), "{path:?} does not say what it is for");
            client.prepare(&sql).await.unwrap_or_else(|error| panic!("{path:?}: {error:?}"));
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

#[tokio::test]
async fn migrations_go_up_down_and_up_again() {
    let seed = (
        202_611_220_920,
        "INSERT INTO payment_methods (user_id, payment_type, details, gateway, gateway_token, fingerprint) \
         VALUES ('7', 'card', '{\"last4\": \"4242\"}', 'sandbox', 't', 'f')",
    );
    TestCluster::shared().await.check_migrations("payments", MIGRATIONS, &[seed]).await;
}

async fn refused(db: &Db, sql: &str) -> String {
    match db.execute(sql, &[]).await {
        Err(DbError::Constraint { name, .. }) => name,
        other => panic!("{sql}: {other:?}"),
    }
}

#[tokio::test]
async fn the_trigger_allows_exactly_the_steps_of_the_domain() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    let mut client = bench.db.client().await.unwrap();
    for from in OrderStatus::ALL {
        for to in OrderStatus::ALL {
            let transaction = client.transaction().await.unwrap();
            let copy = "INSERT INTO orders (checkout_id, user_id, product_id, quantity, unit_price, total_amount, \
                        currency, status) SELECT checkout_id, user_id, '99', 1, 0, 0, currency, $1::text FROM orders";
            transaction.execute(copy, &[&from.word()]).await.unwrap();
            let step = "UPDATE orders SET status = $1::text WHERE product_id = '99'";
            let stepped = transaction.execute(step, &[&to.word()]).await.map_err(DbError::from);
            match stepped {
                Ok(_) => assert!(from == to || from.may_become(to), "{from:?} to {to:?} is let through"),
                Err(error) => {
                    assert!(error.is_constraint("orders_status_step"), "{error}");
                    assert!(from != to && !from.may_become(to), "{from:?} to {to:?} is refused");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_database_refuses_what_would_break_a_promise() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    let db = &bench.db;
    for (sql, constraint) in [
        ("UPDATE orders SET refunded_amount = captured_amount + 1", "orders_refunded_within_captured"),
        ("UPDATE orders SET refunded_amount = -1", "orders_refunded_within_captured"),
        ("UPDATE orders SET unit_price = 1", "orders_total_is_price_times_quantity"),
        ("UPDATE orders SET quantity = 0, total_amount = 0, captured_amount = 0", "orders_quantity_positive"),
        ("UPDATE orders SET user_id = 'x'", "orders_user_id_integer"),
        ("UPDATE orders SET status = 'lost'", "orders_status_step"),
        ("UPDATE ledger_entries SET amount = amount + 1", "ledger_entries_append_only"),
        ("DELETE FROM ledger_transactions", "ledger_transactions_append_only"),
        ("DELETE FROM order_events", "order_events_append_only"),
        (
            "INSERT INTO ledger_entries SELECT id, 5, 'revenue', 7, 5 FROM ledger_transactions",
            "ledger_entries_line_check",
        ),
        ("UPDATE payment_methods SET details = details || '{\"card_number\": \"4\"}'", "payment_methods_details_safe"),
        ("UPDATE idempotency_keys SET answer_status = 500", "idempotency_keys_answer_status_check"),
        ("UPDATE charges SET gateway_reference = NULL", "charges_captured_has_reference"),
    ] {
        assert_eq!(refused(db, sql).await, constraint, "{sql}");
    }
    let unbalanced = "WITH t AS (INSERT INTO ledger_transactions (id, kind, checkout_id, currency) \
         SELECT gen_random_uuid(), 'refund', checkout_id, 'USD' FROM charges RETURNING id) \
         INSERT INTO ledger_entries SELECT id, 1, 'refunds', 7, 5 FROM t";
    assert_eq!(refused(db, unbalanced).await, "ledger_entries_balanced");
    let orphans = "WITH t AS (SELECT gen_random_uuid() AS id) \
         INSERT INTO ledger_entries SELECT id, 1, 'refunds', 7, 5 FROM t UNION ALL SELECT id, 2, 'revenue', 7, -5 FROM t";
    assert_eq!(refused(db, orphans).await, "ledger_entries_of_transaction");
    bench.verify().await;
}

/// Each check with the damage that it must see; done as the administrator, past triggers and constraints.
const DAMAGE: &[(&str, &str)] = &[
    (
        "key_with_several_checkouts",
        "INSERT INTO checkouts SELECT gen_random_uuid(), user_id, idempotency_key, operation, status, total_amount, \
         currency, payment_method_id, metadata, failure, attempts, next_attempt_at, needs_attention_since, \
         created_at + interval '1 hour' FROM checkouts",
    ),
    ("key_answered_against_its_checkout", "UPDATE idempotency_keys SET answer_status = 402"),
    (
        "order_total_not_price_times_quantity",
        "ALTER TABLE orders DROP CONSTRAINT orders_total_is_price_times_quantity; UPDATE orders SET unit_price = 1",
    ),
    ("checkout_total_not_sum_of_orders", "UPDATE checkouts SET total_amount = total_amount + 1"),
    ("checkout_paid_against_its_charge", "DELETE FROM charges"),
    ("order_state_against_its_checkout", "UPDATE orders SET status = 'failed', captured_amount = 0"),
    ("stripe_charge_without_intent", "UPDATE charges SET gateway = 'stripe'"),
    ("sandbox_sale_without_paid_checkout", "INSERT INTO sandbox_sales VALUES (gen_random_uuid(), 'captured', 5)"),
    ("refunds_not_as_noted_on_order", "UPDATE orders SET refunded_amount = 1"),
    (
        "sandbox_refund_without_refund",
        "INSERT INTO sandbox_refunds SELECT gen_random_uuid(), key, 5 FROM sandbox_sales",
    ),
    ("ledger_transaction_not_balanced", "DELETE FROM ledger_entries WHERE line = 1"),
    ("ledger_transaction_not_balanced", "DELETE FROM ledger_transactions"),
    ("charge_not_booked", "DELETE FROM ledger_entries; DELETE FROM ledger_transactions"),
    (
        "refund_not_booked",
        "INSERT INTO refunds (id, order_id, checkout_id, user_id, kind, amount, currency, reason, requested_by, state) \
         SELECT gen_random_uuid(), id, checkout_id, 7, 'refund', 5, 'USD', 'x', 7, 'succeeded' FROM orders",
    ),
    (
        "dispute_not_booked",
        "INSERT INTO disputes SELECT gen_random_uuid(), 'stripe', 'dp_1', id, user_id, 5, currency, 'x', 'lost', now(), \
         now() FROM checkouts",
    ),
    ("order_state_without_event", "DELETE FROM order_events WHERE type = 'order.paid'"),
    ("outbox_before_settlement", "INSERT INTO outbox (topic, checkout_id) SELECT 'checkout.failed', id FROM checkouts"),
    (
        "delivery_without_event",
        "INSERT INTO webhook_endpoints (id, url, events, created_by) VALUES (gen_random_uuid(), 'https://a', '{all}', 1); \
         INSERT INTO webhook_deliveries (endpoint_id, event_id, type, subject, payload) \
         SELECT id, gen_random_uuid(), 'order.paid', 'order/1', '{}' FROM webhook_endpoints",
    ),
    (
        "nobody_delivers",
        "INSERT INTO webhook_endpoints (id, url, events, created_by) VALUES (gen_random_uuid(), 'https://a', '{all}', 1); \
         INSERT INTO webhook_deliveries (endpoint_id, event_id, type, subject, payload, next_attempt_at) \
         SELECT id, gen_random_uuid(), 'user.verified', 'user/1', '{}', now() - interval '1 hour' FROM webhook_endpoints",
    ),
    (
        "erased_customer_keeps_something",
        "INSERT INTO erased_customers (user_id) VALUES (7); UPDATE payment_methods SET created_at = now() - interval '1 hour'",
    ),
    (
        "erased_customer_keeps_something",
        "INSERT INTO erased_customers (user_id) VALUES (7); \
         UPDATE orders SET metadata = '{\"note\": 1}', created_at = now() - interval '1 hour'",
    ),
    (
        "erased_customer_keeps_something",
        "INSERT INTO erased_customers (user_id) VALUES (7); \
         UPDATE checkouts SET metadata = '{\"note\": 1}', created_at = now() - interval '1 hour'",
    ),
    ("rows_are_closed", "ALTER TABLE order_notices NO FORCE ROW LEVEL SECURITY"),
    ("audit_is_written", "DROP TRIGGER audit_insert ON webhook_endpoints"),
    ("roles_are_narrow", "GRANT UPDATE ON orders TO estore_payments_app"),
    ("nobody_resumes", "UPDATE outbox SET created_at = now() - interval '1 hour'"),
];

#[tokio::test]
async fn every_check_sees_its_damage() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    let admin = Db::new(bench.database.admin_config(), 1).unwrap();
    for check in CHECKS {
        let mut damage = DAMAGE.iter().filter(|(name, _)| *name == check.name).peekable();
        assert!(damage.peek().is_some(), "{} is never seen to find anything", check.name);
        for (_, damage) in damage {
            let mut client = admin.client().await.unwrap();
            let transaction = client.transaction().await.unwrap();
            transaction.batch_execute("SET LOCAL session_replication_role = replica").await.unwrap();
            assert!(transaction.query(check.sql, &[]).await.unwrap().is_empty(), "{} cries wolf", check.name);
            transaction.batch_execute(damage).await.unwrap_or_else(|error| panic!("{}: {error:?}", check.name));
            let found = transaction.query(check.sql, &[]).await.unwrap();
            assert!(!found.is_empty(), "{} is blind to {damage}", check.name);
        }
    }
}

#[tokio::test]
async fn history_that_was_let_go_is_not_asked_for() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    let admin = Db::new(bench.database.admin_config(), 1).unwrap();
    let check = CHECKS.iter().find(|check| check.name == "order_state_without_event").unwrap();
    admin.rows("SELECT set_config('session_replication_role', 'replica', false)", &[]).await.unwrap();
    admin.execute("DELETE FROM order_events", &[]).await.unwrap();
    assert_eq!(admin.rows(check.sql, &[]).await.unwrap().len(), 1);
    let noted = "INSERT INTO partitions_let_go VALUES ('order_events', 'order_events_2026_01', now() + $1::text::interval, 'dropped')";
    admin.execute(noted, &[&"-1 hour"]).await.unwrap();
    assert_eq!(admin.rows(check.sql, &[]).await.unwrap().len(), 1, "it is younger than what was let go");
    admin.execute("UPDATE partitions_let_go SET until = now() + interval '1 hour'", &[]).await.unwrap();
    assert!(admin.rows(check.sql, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn partitions_are_made_ahead_and_old_keys_go() {
    let (bench, stop) = (Bench::start().await, CancellationToken::new());
    let card = bench.card(BUYER, "4242424242424242").await;
    crate::jobs::housekeeping(&bench.payments.shop, &stop).await.unwrap();
    crate::jobs::housekeeping(&bench.payments.shop, &stop).await.unwrap();
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'order_events'::regclass";
    assert_eq!(bench.count(partitions).await, 5);
    let strays = "SELECT count(*) FROM order_events WHERE tableoid = to_regclass('order_events_default')";
    assert_eq!(bench.count(strays).await, 0);
    bench.db.execute("UPDATE idempotency_keys SET created_at = now() - interval '47 hours'", &[]).await.unwrap();
    crate::jobs::housekeeping(&bench.payments.shop, &stop).await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM idempotency_keys").await, 1);
    bench.db.execute("UPDATE idempotency_keys SET created_at = now() - interval '49 hours'", &[]).await.unwrap();
    crate::jobs::housekeeping(&bench.payments.shop, &stop).await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM idempotency_keys").await, 0);
    bench.verify().await;
}
