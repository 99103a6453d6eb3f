//! Nobody sees a row of somebody else's, whatever is wrong with the statement: row-level security stands behind it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use estore_kit::db::{Db, View, Viewer};
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::CancellationToken;

use super::bench::{BUYER, Bench, OTHER, STAFF, TEA};

/// Two customers with an order each, behind one pooled connection.
async fn two_customers() -> (Bench, Db) {
    let bench = Bench::start().await;
    // Events go into partitions, as in a shop that runs.
    crate::jobs::housekeeping(&bench.payments.shop, &CancellationToken::new()).await.unwrap();
    for (user, number) in [(BUYER, "4242424242424242"), (OTHER, "5555555555554444")] {
        let card = bench.card(user, number).await;
        bench.order(user, "k", TEA, 1, card).await.expect(201);
    }
    let db = Db::new(bench.database.logins(), 1).unwrap();
    (bench, db)
}

/// Whose rows a statement of the view answers, each once.
async fn owners(view: &View, sql: &str) -> Vec<String> {
    let rows = view.rows(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut owners: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    owners.sort();
    owners.dedup();
    owners
}

/// A connection on which nothing has been said yet.
async fn raw(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

const SHOWN: [&str; 4] = ["orders", "checkouts", "order_events", "payment_methods"];

#[tokio::test(flavor = "multi_thread")]
async fn two_customers_on_one_connection_see_their_own() {
    let (_bench, db) = two_customers().await;
    let mut asking = JoinSet::new();
    for turn in 0..200 {
        let (user, db) = (if turn % 2 == 0 { BUYER } else { OTHER }, db.clone());
        asking.spawn(async move {
            let sql = "SELECT user_id::text, pg_backend_pid()::text FROM orders";
            let rows = db.seen_by(Viewer::Customer(user)).rows(sql, &[]).await.unwrap();
            let found: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].0, user.to_string());
            found[0].1.clone()
        });
    }
    let mut backends = asking.join_all().await;
    backends.dedup();
    assert_eq!(backends.len(), 1, "all went through one session");
}

#[tokio::test]
async fn a_forgotten_filter_shows_what_is_the_viewers() {
    let (_bench, db) = two_customers().await;
    for table in SHOWN {
        let sql = format!("SELECT user_id::text FROM {table}");
        for user in [BUYER, OTHER] {
            assert_eq!(owners(&db.seen_by(Viewer::Customer(user)), &sql).await, [user.to_string()], "{table}");
        }
        let both = [BUYER.to_string(), OTHER.to_string()];
        assert_eq!(owners(&db.seen_by(Viewer::Staff(STAFF)), &sql.replace("payment_methods", "orders")).await, both);
        assert_eq!(owners(&db.seen_by(Viewer::Customer(STAFF)), &sql).await, [""; 0]);
    }
}

#[tokio::test]
async fn who_does_not_say_for_whom_sees_nothing() {
    let (bench, _db) = two_customers().await;
    let app = raw(&bench.database.logins().app).await;
    for table in SHOWN {
        let sql = format!("SELECT count(user_id) FROM {table}");
        assert_eq!(app.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0), 0, "{table}");
    }
    // Nor does it help to become staff without a word, to say a word as a customer, or to say none.
    for said in [
        "SET ROLE estore_staff",
        "SET ROLE none; SET estore.role = 'staff'",
        "SET estore.role = ''; SET estore.user_id = ''",
        "SET estore.user_id = '%'",
        "SET estore.user_id = '7 OR true'",
    ] {
        app.batch_execute(said).await.unwrap();
        assert_eq!(app.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get::<_, i64>(0), 0, "{said}");
    }
}

#[tokio::test]
async fn an_injected_condition_shows_nothing_more() {
    let (_bench, db) = two_customers().await;
    let view = db.seen_by(Viewer::Customer(BUYER));
    // What a customer might type where a statement is glued together, which none of ours is.
    for typed in [
        "7' OR '1' = '1",
        "7' OR user_id <> '7",
        "x' UNION SELECT user_id::text FROM checkouts --",
        "x' UNION SELECT user_id::text FROM order_events WHERE true --",
        "x' OR EXISTS (SELECT FROM payment_methods p WHERE p.user_id = '8') OR 'a' = 'a",
        "x' UNION SELECT (SELECT string_agg(user_id, ',') FROM orders) --",
        "x' UNION SELECT user_id FROM orders TABLESAMPLE SYSTEM (100) --",
        // An error that speaks of a foreign row would tell of it.
        "7' OR 1 / (user_id::integer - 8) = 7 OR user_id = 'x",
    ] {
        let sql = format!("SELECT user_id::text FROM orders WHERE user_id = '{typed}'");
        assert_eq!(owners(&view, &sql).await, [BUYER.to_string()], "{sql}");
    }
    // A second statement is none.
    let stacked = "SELECT 1; SET estore.user_id = '8'; SELECT 1";
    assert!(view.rows(stacked, &[]).await.is_err());
    // What is not shown to anybody cannot be named.
    for hidden in ["idempotency_keys", "charges", "ledger_entries", "sandbox_tokens", "outbox", "webhook_deliveries"] {
        let sql = format!("SELECT user_id::text FROM orders WHERE user_id = 'x' UNION SELECT t::text FROM {hidden} t");
        assert!(view.rows(&sql, &[]).await.unwrap_err().to_string().contains("permission denied"), "{hidden}");
    }
    let token = view.rows("SELECT gateway_token FROM payment_methods", &[]).await;
    assert!(token.unwrap_err().to_string().contains("permission denied"));
}

#[tokio::test]
async fn a_view_changes_nothing() {
    let (bench, db) = two_customers().await;
    for viewer in [Viewer::Customer(BUYER), Viewer::Admin(STAFF)] {
        for sql in ["UPDATE orders SET metadata = '{}' RETURNING id", "DELETE FROM checkouts RETURNING id"] {
            assert!(db.seen_by(viewer).rows(sql, &[]).await.is_err(), "{viewer:?}: {sql}");
        }
    }
    let app = raw(&bench.database.logins().app).await;
    app.batch_execute("SET estore.user_id = '7'").await.unwrap();
    for sql in ["UPDATE orders SET metadata = '{}'", "DELETE FROM checkouts", "SELECT FROM orders FOR UPDATE"] {
        assert!(app.batch_execute(sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_prepared_statement_asks_anew_for_whom_it_runs() {
    let (_bench, db) = two_customers().await;
    // More often than PostgreSQL plans for the values at hand.
    for _ in 0..20 {
        for user in [BUYER, OTHER] {
            let sql = "SELECT user_id::text FROM orders WHERE id > $1";
            let rows = db.seen_by(Viewer::Customer(user)).rows(sql, &[&0]).await.unwrap();
            assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>(), [user.to_string()]);
        }
        let staff = owners(&db.seen_by(Viewer::Staff(STAFF)), "SELECT user_id::text FROM orders").await;
        assert_eq!(staff.len(), 2);
    }
}

#[tokio::test]
async fn an_error_or_a_caller_who_leaves_leaves_nothing_behind() {
    let (bench, db) = two_customers().await;
    let (buyer, other) = (db.seen_by(Viewer::Customer(BUYER)), db.seen_by(Viewer::Staff(OTHER)));
    let said = "SELECT coalesce(current_setting('estore.user_id', true), '') || ' ' || current_user";
    for _ in 0..5 {
        assert!(other.rows("SELECT 1 / (id - id) FROM orders", &[]).await.is_err());
        assert_eq!(owners(&buyer, said).await, ["7 estore_payments_app"]);
        assert_eq!(owners(&buyer, "SELECT user_id::text FROM orders").await, ["7"]);
        // On its way, and then nobody waits for it.
        let _known = other.rows("SELECT user_id::text FROM orders", &[]).await.unwrap();
        {
            let mut leaving = pin!(other.rows("SELECT user_id::text FROM orders", &[]));
            for _ in 0..3 {
                let polled = poll_fn(|cx| Poll::Ready(leaving.as_mut().poll(cx))).await;
                assert!(polled.is_pending() || matches!(polled, Poll::Ready(Ok(_))));
                if polled.is_ready() {
                    break;
                }
            }
        }
        assert_eq!(owners(&buyer, "SELECT user_id::text FROM orders").await, ["7"]);
    }
    // A transaction that fails after the word takes the word with it.
    let app = raw(&bench.database.logins().app).await;
    let failing = "BEGIN; SELECT set_config('estore.user_id', '7', true); SELECT 1 / 0; COMMIT";
    assert!(app.batch_execute(failing).await.is_err());
    app.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(app.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_part_of_a_table_is_no_way_round() {
    let (bench, _db) = two_customers().await;
    let reader = raw(&bench.database.config_as("estore_readonly")).await;
    reader.batch_execute("SET estore.role = 'staff'").await.unwrap();
    let sql = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'order_events'::regclass";
    assert!(reader.query_one("SELECT count(*) FROM order_events", &[]).await.unwrap().get::<_, i64>(0) > 0);
    let parts = reader.query(sql, &[]).await.unwrap();
    assert!(parts.len() > 1);
    for part in parts {
        let count = format!("SELECT count(*) FROM {}", part.get::<_, String>(0));
        assert!(reader.query_one(&count, &[]).await.is_err(), "{count}");
    }
}

#[tokio::test]
async fn strangers_orders_are_not_found_by_any_route() {
    let (bench, _db) = two_customers().await;
    let order = bench.count("SELECT id::bigint FROM orders WHERE user_id = '7'").await;
    let method = bench.count("SELECT id::bigint FROM payment_methods WHERE user_id = '7'").await;
    let checkout = bench.db.row("SELECT id::text FROM checkouts WHERE user_id = 7", &[]).await.unwrap().unwrap();
    let checkout: String = checkout.get(0);
    for path in [
        format!("/v1/orders/{order}"),
        format!("/v1/orders/{order}/events"),
        format!("/v1/checkouts/{checkout}"),
        format!("/v1/payment-methods/{method}"),
    ] {
        bench.get(BUYER, &path).await.expect(200);
        bench.get(OTHER, &path).await.expect(404);
        let for_staff = if path.contains("payment-methods") { 404 } else { 200 };
        bench.get(STAFF, &path).await.expect(for_staff);
    }
}
