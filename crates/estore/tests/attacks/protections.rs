//! Each protection taken out in turn: the mistake that it refuses then gets through, and `estore verify` finds it.

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, Client};
use estore_testkit::shop::{Processes, Shop};
use serde_json::{Value, json};

use crate::buyers::{checkout_of, insist, key, verify_clean};
use crate::own_shop;

/// A mistake that a service might make, as SQL, and what stands in its way.
struct Mistake {
    what: &'static str,
    service: Service,
    /// May be several statements; they are one transaction.
    sql: &'static str,
    /// What refuses it and how that is taken out; `None` where only `verify` watches.
    protection: Option<(&'static str, &'static str)>,
    /// The check of `estore verify` that finds it.
    found_by: &'static str,
}

/// `cancelled`, `paid` and `partly` are views of the one order in that state, made by the test.
const MISTAKES: &[Mistake] = &[
    Mistake {
        what: "the last unit is sold twice",
        service: Service::Inventory,
        sql: "UPDATE products SET quantity = quantity - 1000 WHERE id = (SELECT min(id) FROM products)",
        protection: Some((
            "products_quantity_not_negative",
            "ALTER TABLE products DROP CONSTRAINT products_quantity_not_negative",
        )),
        found_by: "quantity_not_negative",
    },
    Mistake {
        what: "stock moves without a movement",
        service: Service::Inventory,
        sql: "UPDATE products SET quantity = quantity + 1 WHERE id = (SELECT max(id) FROM products)",
        protection: None,
        found_by: "movements_sum_to_quantity",
    },
    Mistake {
        what: "a movement is rewritten",
        service: Service::Inventory,
        sql: "UPDATE stock_movements SET delta = delta - 1 WHERE kind = 'hold'",
        protection: Some(("stock_movements_are_kept", "DROP TRIGGER stock_movements_are_kept ON stock_movements")),
        found_by: "holds_move_their_lines",
    },
    Mistake {
        what: "a cancelled order's units come back twice",
        service: Service::Inventory,
        sql: "INSERT INTO stock_movements (product_id, delta, kind, checkout_id, order_id)
              SELECT product_id, delta, kind, checkout_id, order_id FROM stock_movements WHERE kind = 'restock'",
        protection: Some(("idx_stock_movements_restock", "DROP INDEX idx_stock_movements_restock")),
        found_by: "restocks_within_sales",
    },
    Mistake {
        what: "stock is held for nobody",
        service: Service::Inventory,
        sql: "INSERT INTO holds (checkout_id, state, created_at)
              VALUES ('00000000-0000-7000-8000-000000000001', 'held', now() - interval '30 minutes')",
        protection: None,
        found_by: "holds_match_checkouts",
    },
    Mistake {
        what: "units go back of an order that nobody cancelled",
        service: Service::Inventory,
        sql: "INSERT INTO stock_movements (product_id, delta, kind, checkout_id, order_id, created_at)
              SELECT product_id, delta, kind, checkout_id, 2147483647, now() - interval '1 hour'
              FROM stock_movements WHERE kind = 'restock' LIMIT 1",
        protection: None,
        found_by: "restocks_match_cancels",
    },
    Mistake {
        what: "a cancelled order's units stay away",
        service: Service::Inventory,
        // The trigger that keeps movements is out since "a movement is rewritten".
        sql: "DELETE FROM stock_movements WHERE kind = 'restock' AND order_id < 2147483647",
        protection: None,
        found_by: "restocks_match_cancels",
    },
    Mistake {
        what: "a paid line is sold as others",
        service: Service::Inventory,
        sql: "UPDATE hold_lines SET quantity = quantity + 1",
        protection: None,
        found_by: "holds_match_checkouts",
    },
    Mistake {
        what: "more is refunded than was captured",
        service: Service::Payments,
        sql: "UPDATE orders SET refunded_amount = captured_amount + 20 WHERE status = 'paid'",
        protection: Some((
            "orders_refunded_within_captured",
            "ALTER TABLE orders DROP CONSTRAINT orders_refunded_within_captured",
        )),
        found_by: "refunds_not_as_noted_on_order",
    },
    Mistake {
        what: "a cancel refunds a second time",
        service: Service::Payments,
        sql: "INSERT INTO refunds (id, order_id, checkout_id, user_id, kind, amount, currency, reason, requested_by,
                                   state, gateway_reference)
              SELECT gen_random_uuid(), order_id, checkout_id, user_id, kind, amount, currency, reason, requested_by,
                     state, gateway_reference
              FROM refunds WHERE kind = 'cancel'",
        protection: Some(("refunds_one_per_cancel", "DROP INDEX refunds_one_per_cancel")),
        found_by: "refunds_not_as_noted_on_order",
    },
    Mistake {
        what: "an order goes back to an earlier state",
        service: Service::Payments,
        sql: "UPDATE orders SET status = 'paid' WHERE status = 'cancelled'",
        protection: Some(("orders_status_step", "DROP TRIGGER orders_status_step ON orders")),
        found_by: "order_state_without_event",
    },
    Mistake {
        what: "one key makes two checkouts",
        service: Service::Payments,
        sql: "INSERT INTO idempotency_keys (user_id, key, request_hash, resource_id)
              SELECT user_id, key, request_hash, '00000000-0000-7000-8000-000000000002'
              FROM idempotency_keys WHERE resource_id = (SELECT min(id::text)::uuid FROM checkouts);
              INSERT INTO checkouts (id, user_id, idempotency_key, operation, total_amount, currency,
                                     payment_method_id, status, failure)
              SELECT '00000000-0000-7000-8000-000000000002', user_id, idempotency_key, operation, total_amount,
                     currency, payment_method_id, 'failed', 'card_declined'
              FROM checkouts WHERE id = (SELECT min(id::text)::uuid FROM checkouts)",
        protection: Some((
            "idempotency_keys_pkey",
            "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey",
        )),
        found_by: "key_with_several_checkouts",
    },
    Mistake {
        what: "the gateway charges for no order",
        service: Service::Payments,
        sql: "INSERT INTO sandbox_sales (key, state, amount) VALUES (gen_random_uuid(), 'captured', 100)",
        protection: None,
        found_by: "sandbox_sale_without_paid_checkout",
    },
    Mistake {
        what: "a paid checkout is taken for unpaid",
        service: Service::Payments,
        sql: "UPDATE checkouts SET status = 'pending', next_attempt_at = now() + interval '1 day'
              WHERE status = 'paid'",
        protection: None,
        found_by: "checkout_paid_against_its_charge",
    },
    Mistake {
        what: "money appears in the ledger from nowhere",
        service: Service::Payments,
        sql: "INSERT INTO ledger_transactions (id, kind, checkout_id, currency)
              SELECT '00000000-0000-7000-8000-000000000003', 'refund', checkout_id, currency FROM charges LIMIT 1;
              INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
              VALUES ('00000000-0000-7000-8000-000000000003', 1, 'revenue', 1, 100)",
        protection: Some(("ledger_entries_balanced", "DROP TRIGGER ledger_entries_balanced ON ledger_entries")),
        found_by: "ledger_transaction_not_balanced",
    },
    Mistake {
        what: "the ledger is rewritten",
        service: Service::Payments,
        sql: "UPDATE ledger_entries SET amount = amount + 1 WHERE line = 1",
        protection: Some(("ledger_entries_append_only", "DROP TRIGGER ledger_entries_append_only ON ledger_entries")),
        found_by: "ledger_transaction_not_balanced",
    },
    Mistake {
        what: "history is forgotten",
        service: Service::Payments,
        sql: "DELETE FROM order_events WHERE type = 'order.created'",
        protection: Some(("order_events_append_only", "DROP TRIGGER order_events_append_only ON order_events")),
        found_by: "order_state_without_event",
    },
];

/// A shop with an order that is paid, one that is cancelled and one that is partly refunded.
async fn lived_in() -> Shop {
    let mut shop = own_shop(Processes::One).await;
    // Else what is held for nobody would be given back before anybody looks.
    shop.restart(0, &[("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "3600")]).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let method = buyer.card(CARD_APPROVED).await;
    let mut lines = Vec::new();
    for _ in 0..3 {
        lines.push((admin.product(100, 20).await, 2));
    }
    let bought = insist(&buyer, "/v1/checkouts", &key(), &checkout_of(&lines, method)).await.expect(201);
    let cancel = format!("/v1/orders/{}/cancel", bought.json["orders"][0]["id"]);
    let _done = insist(&buyer, &cancel, &key(), &json!({})).await.expect(200);
    let refund = format!("/v1/orders/{}/refunds", bought.json["orders"][1]["id"]);
    let _done = insist(&admin, &refund, &key(), &json!({ "amount": 50, "reason": "scratched" })).await.expect(201);
    verify_clean(&shop, std::time::Duration::from_secs(30)).await;
    shop
}

/// How many rows break the promise that a check watches.
fn broken(shop: &Shop, check: &str) -> i64 {
    let (_, out, err) = shop.try_estore(&["verify", "--json"], "");
    let found: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{err}"));
    let checks = found["checks"].as_array().expect("checks");
    let named = checks.iter().find(|one| one["name"] == check);
    named.unwrap_or_else(|| panic!("there is no check {check}"))["broken"].as_i64().expect("a number")
}

#[tokio::test]
async fn without_its_protection_each_mistake_gets_through_and_is_found() {
    let shop = lived_in().await;
    for Mistake { what, service, sql, protection, found_by } in MISTAKES {
        let database = shop.database(*service).await;
        if let Some((name, take_out)) = protection {
            let refused = database.batch_execute(sql).await.expect_err(what);
            let refused = refused.as_db_error().unwrap_or_else(|| panic!("{what}: {refused}"));
            assert_eq!(refused.constraint(), Some(*name), "{what}: {refused}");
            database.batch_execute(take_out).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        }
        let before = broken(&shop, found_by);
        database.batch_execute(sql).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let after = broken(&shop, found_by);
        assert!(after > before, "{what}: {found_by} finds {after} rows, before {before}");
        println!("{what}: refused by {}, found by {found_by}", protection.map_or("nothing", |(name, _)| name));
    }
}
