//! Each figure is compared with what psql says.

use std::time::Duration;

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, CARD_DECLINED, Client};
use estore_testkit::shop::{Processes, Shop};

use crate::page::{Page, scrape};
use crate::{eventually, own_shop, psql};

/// How long figures of databases are kept by the shop, and a little more.
const KEPT: Duration = Duration::from_millis(3_500);

/// A figure of the page and the SQL that psql answers it by: rows of label values and the value.
struct Compared {
    name: &'static str,
    labels: &'static [&'static str],
    database: &'static str,
    sql: &'static str,
}

const fn of(name: &'static str, labels: &'static [&'static str], sql: &'static str) -> Compared {
    Compared { name, labels, database: "payments", sql }
}

const BY_DATABASE: &[&str] = &["datname"];
const BY_TABLE: &[&str] = &["schemaname", "relname"];
/// Sessions of this test come and go while it looks; those of the shop stay.
const SHOPS: &str = "usename IN ('estore_users_app', 'estore_inventory_app', 'estore_payments_app')";

/// Values that may have moved on between two looks: psql's are taken before and after the page.
const COMPARED: &[Compared] = &[
    of("pg_settings_max_connections", &[], "SHOW max_connections"),
    of("pg_settings_superuser_reserved_connections", &[], "SHOW superuser_reserved_connections"),
    of("pg_settings_autovacuum_freeze_max_age", &[], "SHOW autovacuum_freeze_max_age"),
    of(
        "pg_settings_shared_buffers_bytes",
        &[],
        "SELECT setting::int8 * 8192 FROM pg_settings WHERE name = 'shared_buffers'",
    ),
    of("pg_postmaster_start_time_seconds", &[], "SELECT extract(epoch FROM pg_postmaster_start_time())"),
    of("pg_replication_is_replica", &[], "SELECT pg_is_in_recovery()::int"),
    of(
        "pg_database_size_bytes",
        BY_DATABASE,
        "SELECT d, pg_database_size(d) FROM unnest(ARRAY['estore_users', \
        'estore_inventory', 'estore_payments']::name[]) d",
    ),
    of(
        "pg_stat_database_xact_commit",
        BY_DATABASE,
        "SELECT datname, xact_commit FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_xact_rollback",
        BY_DATABASE,
        "SELECT datname, xact_rollback FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_blks_hit",
        BY_DATABASE,
        "SELECT datname, blks_hit FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_blks_read",
        BY_DATABASE,
        "SELECT datname, blks_read FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_returned",
        BY_DATABASE,
        "SELECT datname, tup_returned FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_fetched",
        BY_DATABASE,
        "SELECT datname, tup_fetched FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_inserted",
        BY_DATABASE,
        "SELECT datname, tup_inserted FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_updated",
        BY_DATABASE,
        "SELECT datname, tup_updated FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_tup_deleted",
        BY_DATABASE,
        "SELECT datname, tup_deleted FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_deadlocks",
        BY_DATABASE,
        "SELECT datname, deadlocks FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_conflicts",
        BY_DATABASE,
        "SELECT datname, conflicts FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_temp_bytes",
        BY_DATABASE,
        "SELECT datname, temp_bytes FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_checksum_failures",
        BY_DATABASE,
        "SELECT datname, checksum_failures FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions",
        BY_DATABASE,
        "SELECT datname, sessions FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions_abandoned",
        BY_DATABASE,
        "SELECT datname, sessions_abandoned FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions_fatal",
        BY_DATABASE,
        "SELECT datname, sessions_fatal FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_stat_database_sessions_killed",
        BY_DATABASE,
        "SELECT datname, sessions_killed FROM pg_stat_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_database_wraparound_age_datfrozenxid_seconds",
        BY_DATABASE,
        "SELECT datname, age(datfrozenxid) FROM pg_database WHERE datname LIKE 'estore%'",
    ),
    of(
        "pg_database_wraparound_age_datminmxid_seconds",
        BY_DATABASE,
        "SELECT datname, mxid_age(datminmxid) FROM pg_database WHERE datname LIKE 'estore%'",
    ),
    of("pg_stat_bgwriter_checkpoints_timed_total", &[], "SELECT checkpoints_timed FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_checkpoints_req_total", &[], "SELECT checkpoints_req FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_buffers_checkpoint_total", &[], "SELECT buffers_checkpoint FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_buffers_backend_total", &[], "SELECT buffers_backend FROM pg_stat_bgwriter"),
    of("pg_stat_bgwriter_buffers_alloc_total", &[], "SELECT buffers_alloc FROM pg_stat_bgwriter"),
    of("pg_stat_archiver_archived_count", &[], "SELECT archived_count FROM pg_stat_archiver"),
    of("pg_stat_archiver_failed_count", &[], "SELECT failed_count FROM pg_stat_archiver"),
    of("pg_wal_segments", &[], "SELECT count(*) FROM pg_ls_waldir() WHERE length(name) = 24"),
    of("pg_stat_user_tables_seq_scan", BY_TABLE, "SELECT schemaname, relname, seq_scan FROM pg_stat_user_tables"),
    of(
        "pg_stat_user_tables_idx_scan",
        BY_TABLE,
        "SELECT schemaname, relname, coalesce(idx_scan, 0) FROM pg_stat_user_tables",
    ),
    of("pg_stat_user_tables_n_tup_ins", BY_TABLE, "SELECT schemaname, relname, n_tup_ins FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_tup_upd", BY_TABLE, "SELECT schemaname, relname, n_tup_upd FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_tup_del", BY_TABLE, "SELECT schemaname, relname, n_tup_del FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_live_tup", BY_TABLE, "SELECT schemaname, relname, n_live_tup FROM pg_stat_user_tables"),
    of("pg_stat_user_tables_n_dead_tup", BY_TABLE, "SELECT schemaname, relname, n_dead_tup FROM pg_stat_user_tables"),
    of(
        "pg_stat_user_tables_table_size_bytes",
        BY_TABLE,
        "SELECT schemaname, c.relname, pg_relation_size(relid) FROM pg_stat_user_tables JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
    ),
    of(
        "pg_stat_user_tables_index_size_bytes",
        BY_TABLE,
        "SELECT schemaname, c.relname, pg_indexes_size(relid) FROM pg_stat_user_tables JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
    ),
    of(
        "pg_stat_user_tables_toast_size_bytes",
        BY_TABLE,
        "SELECT schemaname, c.relname, \
        pg_table_size(relid) - pg_relation_size(relid) - pg_relation_size(relid, 'fsm') - pg_relation_size(relid, 'vm') \
        - pg_relation_size(relid, 'init') FROM pg_stat_user_tables JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
    ),
    of(
        "pg_stat_user_indexes_idx_scan",
        &["relname", "indexrelname"],
        "SELECT relname, indexrelname, idx_scan FROM pg_stat_user_indexes",
    ),
    of("pg_index_invalid_count", &[], "SELECT count(*) FROM pg_index WHERE NOT indisvalid"),
    of(
        "pg_sequence_used_ratio",
        &["sequencename"],
        "SELECT 'orders_id_seq', (SELECT last_value FROM orders_id_seq) / 2147483647.0",
    ),
];

/// What psql says, under its labels.
fn asked(shop: &Shop, compared: &Compared) -> Vec<(Vec<String>, f64)> {
    let rows = psql(shop, compared.database, compared.sql);
    let split = |mut row: Vec<String>| {
        let value = row.pop().unwrap();
        (row, value.parse().unwrap_or_else(|_| panic!("{}: {value}", compared.name)))
    };
    rows.into_iter().map(split).collect()
}

/// Places orders of every kind; answers their number by outcome.
async fn trade(shop: &Shop) {
    let (admin, buyer) = tokio::join!(Client::admin(shop), Client::customer(shop));
    let (good, bad) = (buyer.card(CARD_APPROVED).await, buyer.card(CARD_DECLINED).await);
    let product = admin.product(100, 5).await;
    for key in ["one", "two", "two"] {
        let _bought = buyer.order(key, product, 1, good).await.expect(201);
    }
    let _declined = buyer.order("three", product, 1, bad).await.expect(402);
    let _short = buyer.order("four", product, 9, good).await.expect(409);
}

#[tokio::test]
async fn figures_of_databases_are_psqls() {
    let shop = own_shop(Processes::One).await;
    trade(&shop).await;
    let of_payments = [("datname", "estore_payments")];
    // Statistics of a session are told when it has been idle for a second; then nobody changes anything any more.
    let mut left: Vec<&Compared> = COMPARED.iter().collect();
    eventually("figures that agree", async || {
        let before: Vec<_> = left.iter().map(|compared| asked(&shop, compared)).collect();
        tokio::time::sleep(KEPT).await;
        let page = scrape(&shop, &shop.address.users).await;
        let after: Vec<_> = left.iter().map(|compared| asked(&shop, compared)).collect();
        let looks = before.into_iter().zip(after);
        let mut differ = Vec::new();
        for (compared, (before, after)) in left.iter().copied().zip(looks) {
            assert!(!before.is_empty(), "{}", compared.name);
            if let Err(told) = compare(&page, compared, &before, &after, &of_payments) {
                println!("{told}");
                differ.push(compared);
            }
        }
        left = differ;
        left.is_empty().then_some(())
    })
    .await;
}

/// Each value lies between psql's before and after.
fn compare(
    page: &Page,
    compared: &Compared,
    before: &[(Vec<String>, f64)],
    after: &[(Vec<String>, f64)],
    of_database: &[(&str, &str)],
) -> Result<(), String> {
    let is_per_database = page.all(compared.name, &[]).iter().any(|sample| sample.labels.contains_key("datname"));
    for (row, first) in before {
        let mut labels: Vec<(&str, &str)> =
            compared.labels.iter().copied().zip(row.iter().map(String::as_str)).collect();
        if is_per_database && !compared.labels.contains(&"datname") {
            labels.extend_from_slice(of_database);
        }
        let found = page.all(compared.name, &labels);
        let [shown] = found.as_slice() else { return Err(format!("{}{labels:?}: {found:?}", compared.name)) };
        let shown = shown.value;
        let (_, last) = after.iter().find(|(other, _)| other == row).ok_or_else(|| format!("{row:?} is gone"))?;
        let (low, high) = (first.min(*last), first.max(*last));
        // psql prints numbers of the kind 0.00000000093 with fewer digits.
        let slack = high.abs() * 1e-9 + 1e-12;
        if shown < low - slack || shown > high + slack {
            return Err(format!("{}{labels:?}: {shown}, psql says {low} to {high}", compared.name));
        }
    }
    Ok(())
}

#[tokio::test]
async fn sessions_and_locks_are_psqls() {
    let shop = own_shop(Processes::One).await;
    trade(&shop).await;
    // One holds a lock, another waits for it, a third only sits in its transaction.
    let (holder, waiter) = (shop.database(Service::Users).await, shop.database(Service::Users).await);
    holder.batch_execute("BEGIN; LOCK TABLE mails IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let waits = tokio::spawn(async move { waiter.batch_execute("SELECT count(*) FROM mails").await });
    let sessions = format!(
        "SELECT usename, state, count(*) FROM pg_stat_activity WHERE {SHOPS} AND backend_type = 'client backend' GROUP BY 1, 2"
    );
    eventually("sessions that agree", async || {
        let before = psql(&shop, "payments", &sessions);
        tokio::time::sleep(KEPT).await;
        let page = scrape(&shop, &shop.address.users).await;
        let shown = |row: &Vec<String>| {
            let found = page.all("pg_stat_activity_count", &[("usename", &row[0]), ("state", &row[1])]);
            found.first().map(|sample| sample.value) == row[2].parse().ok()
        };
        let agree = before == psql(&shop, "payments", &sessions) && before.iter().all(shown);
        let blocked = psql(&shop, "users", "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted");
        let waiting = page.one("pg_blocked_sessions", &[]);
        let exclusive = page.one("pg_locks_count", &[("datname", "estore_users"), ("mode", "accessexclusivelock")]);
        let idle =
            page.all("pg_stat_activity_max_tx_duration", &[("usename", "postgres"), ("state", "idle in transaction")]);
        println!("{before:?} {waiting} {exclusive} {idle:?}");
        let is_idle = idle.iter().any(|sample| sample.value > 1.0);
        (agree && waiting > 0.0 && blocked[0][0].parse() == Ok(waiting) && exclusive == 1.0 && is_idle).then_some(())
    })
    .await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    waits.await.unwrap().unwrap();
}

#[tokio::test]
async fn orders_are_counted_by_outcome_and_steps_are_timed() {
    let shop = own_shop(Processes::One).await;
    trade(&shop).await;
    let page = scrape(&shop, &shop.address.payments).await;
    let answers = |outcome| page.one("estore_checkout_answers_total", &[("outcome", outcome)]);
    assert_eq!((answers("placed"), answers("replayed")), (2.0, 1.0));
    assert_eq!((answers("card_declined"), answers("out_of_stock")), (1.0, 1.0));
    let settled = |end| page.one("estore_checkouts_settled_total", &[("end", end)]);
    assert_eq!((settled("captured"), settled("refused")), (2.0, 1.0));
    assert_eq!(page.one("estore_orders_written_total", &[]), 3.0);
    for (step, items) in
        [("take_key", 5.0), ("hold", 4.0), ("write", 3.0), ("charge", 3.0), ("settle", 3.0), ("finish", 1.0)]
    {
        let labels = [("service", "payments"), ("step", step)];
        assert_eq!(page.one("estore_step_seconds_count", &labels), items, "{step}");
        assert_eq!(page.one("estore_step_batch_items_sum", &labels), items, "{step}");
        assert_eq!(page.one("estore_step_queue_items", &labels), 0.0, "{step}");
        let (bound, sum) = (
            page.one("estore_step_seconds_bucket", &[labels[0], labels[1], ("le", "+Inf")]),
            page.one("estore_step_seconds_sum", &labels),
        );
        assert!(bound == items && sum > 0.0 && sum < 60.0, "{step}: {bound} {sum}");
    }
    assert_eq!(page.one("estore_step_seconds_count", &[("service", "inventory"), ("step", "hold")]), 4.0);
    let resident = page.one("process_resident_memory_bytes", &[]);
    assert!(resident > 1e6 && resident < 4e9, "{resident}");
    assert_eq!(page.one("estore_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
}

#[tokio::test]
async fn what_waits_is_psqls() {
    let mut shop = own_shop(Processes::One).await;
    // Else the hold below, of a checkout that never was, would be released.
    shop.restart(0, &[("ESTORE_PAYMENTS__RESUME_AFTER_SECONDS", "3600")]).await;
    let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
    let method = buyer.card(CARD_APPROVED).await;
    let product = admin.product(100, 5).await;
    let _bought = buyer.order("one", product, 1, method).await.expect(201);
    eventually("all events told", async || {
        (psql(&shop, "payments", "SELECT count(*) FROM outbox")[0][0] == "0").then_some(())
    })
    .await;
    // Rows as they are left by trouble.
    psql(
        &shop,
        "payments",
        "INSERT INTO webhook_endpoints (id, url, events, created_by)
         VALUES ('00000000-0000-7000-8000-000000000001', 'https://shop.example/hook', '{all}', 1);
         INSERT INTO webhook_deliveries
             (endpoint_id, event_id, type, subject, payload, state, created_at, next_attempt_at, ended_at)
         SELECT '00000000-0000-7000-8000-000000000001', gen_random_uuid(), 'order.paid', 'order:' || n, '{}', state,
             now() - interval '1 hour', CASE state WHEN 'pending' THEN now() + interval '1 hour' END,
             CASE state WHEN 'dead' THEN now() END
         FROM generate_series(1, 3) n, unnest(ARRAY['pending', 'dead']) state",
    );
    psql(
        &shop,
        "inventory",
        "INSERT INTO holds (checkout_id, state) VALUES ('00000000-0000-7000-8000-000000000002', 'held')",
    );
    eventually("what waits", async || {
        let page = scrape(&shop, &shop.address.users).await;
        let waiting = page.one("estore_webhook_deliveries_waiting", &[]);
        let dead = page.one("estore_webhook_deliveries_dead", &[]);
        let age = page.one("estore_webhook_deliveries_oldest_seconds", &[]);
        let (holds, held) = (page.one("estore_holds_open", &[]), page.one("estore_holds_open_oldest_seconds", &[]));
        let quiet = ["users", "inventory", "payments"]
            .iter()
            .all(|service| page.one("estore_outbox_events", &[("service", service)]) == 0.0);
        let none = [
            "estore_checkouts_pending",
            "estore_checkouts_needing_attention",
            "estore_refunds_needing_attention",
            "estore_mails_waiting",
        ];
        let none = none.iter().all(|name| page.one(name, &[]) == 0.0);
        println!("{waiting} {dead} {age} {holds} {held} {quiet} {none}");
        let is_young = |seconds: f64, least: f64| (least..least + 120.0).contains(&seconds);
        (waiting == 3.0
            && dead == 3.0
            && is_young(age, 3_600.0)
            && holds == 1.0
            && is_young(held, 0.0)
            && quiet
            && none)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_of_three_processes_serves_its_own_part_to_who_shows_the_token() {
    let shop = own_shop(Processes::Three).await;
    trade(&shop).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let parts = [
        (&shop.address.users, "estore_users", "estore_log_ins_shed_total"),
        (&shop.address.inventory, "estore_inventory", "estore_holds_open"),
        (&shop.address.payments, "estore_payments", "estore_orders_written_total"),
    ];
    for (base, database, own) in parts {
        for token in ["", "wrong", &format!("{}x", crate::page::token(&shop))] {
            let answer = http.get(format!("{base}/metrics")).bearer_auth(token).send().await.unwrap();
            assert_eq!(answer.status(), 401);
            let told = answer.text().await.unwrap();
            assert!(told.contains("metrics_token_invalid") && !told.contains("pg_up"), "{told}");
        }
        let page = scrape(&shop, base).await;
        for (_, other, name) in parts {
            assert_eq!(page.names().contains(name), own == name, "{database}: {name}");
            assert_eq!(page.all("pg_stat_user_tables_n_dead_tup", &[("datname", other)]).is_empty(), database != other);
        }
        assert_eq!(page.one("pg_up", &[("server", "private")]), 1.0);
    }
}
