//! Each figure is compared with what psql says.

mod compared;

use std::time::Duration;

use estore_ops::roles::Service;
use estore_testkit::client::{CARD_APPROVED, CARD_DECLINED, Client};
use estore_testkit::shop::{Processes, Shop};

use self::compared::{COMPARED, Compared};
use crate::page::{Page, scrape};
use crate::{eventually, own_shop, psql};

/// How long figures of databases are kept by the shop, and a little more.
const KEPT: Duration = Duration::from_millis(3_500);

/// Sessions of this test come and go while it looks; those of the shop stay.
const SHOPS: &str = "usename ~ '^estore_(users|inventory|payments)_(app|writer)$'";

/// What psql says, under its labels.
fn asked(shop: &Shop, compared: &Compared) -> Vec<(Vec<String>, f64)> {
    let rows = psql(shop, compared.database, compared.sql);
    let split = |mut row: Vec<String>| {
        let value = row.pop().unwrap();
        (row, value.parse().unwrap_or_else(|_| panic!("{}: {value}", compared.name)))
    };
    rows.into_iter().map(split).collect()
}

/// Places orders of every kind: two are bought, one of them asked for twice, one is declined and one is too many.
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
        if shown < low || shown > high {
            return Err(format!("{}{labels:?}: {shown}, psql says {low} to {high}", compared.name));
        }
    }
    Ok(())
}

#[tokio::test]
async fn sessions_and_locks_are_psqls() {
    let shop = own_shop(Processes::One).await;
    trade(&shop).await;
    // One holds a lock and another waits for it. Nobody of the shop reads that table: who waited would come and go.
    let (holder, waiter) = (shop.database(Service::Users).await, shop.database(Service::Users).await);
    holder.batch_execute("CREATE TABLE locked ()").await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let waits = tokio::spawn(async move { waiter.batch_execute("SELECT count(*) FROM locked").await });
    let sessions = format!(
        "SELECT usename, count(*) FROM pg_stat_activity WHERE {SHOPS} AND backend_type = 'client backend' GROUP BY 1"
    );
    eventually("sessions that agree", async || {
        let before = psql(&shop, "payments", &sessions);
        tokio::time::sleep(KEPT).await;
        let page = scrape(&shop, &shop.address.users).await;
        let shown = |row: &Vec<String>| {
            let states = page.all("pg_stat_activity_count", &[("usename", &row[0])]);
            Ok(states.iter().map(|sample| sample.value).sum()) == row[1].parse::<f64>()
        };
        let agree = before == psql(&shop, "payments", &sessions) && before.iter().all(shown);
        let blocked = psql(&shop, "users", "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted");
        let waiting = page.one("pg_blocked_sessions", &[]);
        let exclusive = page.one("pg_locks_count", &[("datname", "estore_users"), ("mode", "accessexclusivelock")]);
        let idle =
            page.all("pg_stat_activity_max_tx_duration", &[("usename", "postgres"), ("state", "idle in transaction")]);
        println!("{before:?} {agree} {blocked:?} {waiting} {exclusive} {idle:?}");
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
    // Rows as they are left by trouble, at an endpoint that hears nothing of the order above.
    psql(
        &shop,
        "payments",
        "INSERT INTO webhook_endpoints (id, url, events, created_by)
         VALUES ('00000000-0000-7000-8000-000000000001', 'https://shop.example/hook', '{order.delivered}', 1);
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
        let is_from = |seconds: f64, least: f64, most: f64| (least..most).contains(&seconds);
        (waiting == 3.0
            && dead == 3.0
            && is_from(age, 3_600.0, 3_720.0)
            && holds == 1.0
            && is_from(held, 0.0, 120.0)
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
