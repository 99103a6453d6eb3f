//! Partitions are made ahead and as their table is; rows that found none come home; old ones go by rule alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use estore_kit::db::Db;
use estore_ops::audit::{Audited, Extent, Sealer, verify};
use estore_ops::backup::SigningKey;
use estore_ops::connection::Connection;
use estore_ops::maintain::{BecomeOf, Ending, MaintainOptions, PartitionRule, Report, Site, Task, maintain};
use estore_testkit::cluster::{TestCluster, TestDatabase};
use tokio_postgres::Config;
use tokio_util::sync::CancellationToken;

/// The months that the tests have rows of: two long past, and this one.
const MONTHS: &str = "SELECT date_trunc('month', now(), 'UTC') - make_interval(months => n) + interval '3 days' AS at
                      FROM unnest(ARRAY[0, 7, 9]) n";
/// Rows of `order_events`, whoever holds them.
const ROWS: &str = "SELECT count(*) || ' ' || md5(string_agg(e::text, ',' ORDER BY id)) FROM order_events e";

struct Books {
    database: TestDatabase,
    admin: Connection,
}

impl Books {
    async fn open() -> Self {
        let database = TestCluster::shared().await.database("payments", estore_payments::MIGRATIONS).await;
        let admin = Connection::open(&database.admin_config()).await.unwrap();
        Self { database, admin }
    }

    async fn connect(&self, config: &Config) -> Connection {
        Connection::open(config).await.unwrap()
    }

    async fn text(&self, sql: &str) -> String {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Events of the test's months, so many of each.
    async fn events(&self, each: u32) {
        let sql = format!(
            "INSERT INTO order_events (order_id, checkout_id, user_id, type, status, created_at)
             SELECT n, gen_random_uuid(), 7, 'order.created', 'pending', at FROM generate_series(1, {each}) n, ({MONTHS}) m"
        );
        self.connect(&self.database.logins().writer).await.batch_execute(&sql).await.unwrap();
    }

    async fn maintain(&self, rule: Option<PartitionRule>) -> Vec<Report> {
        self.maintain_with(rule, None).await
    }

    /// The same by somebody who has the key that seals.
    async fn maintain_with(&self, rule: Option<PartitionRule>, sealing_key: Option<Arc<SigningKey>>) -> Vec<Report> {
        let (service, config) = (self.database.service(), self.database.admin_config());
        let site = Site { service, config, owner: service.owner().to_owned(), purges: Vec::new(), is_local: false };
        let rules = rule.map(|rule| ("order_events".to_owned(), rule)).into_iter().collect::<BTreeMap<_, _>>();
        let options = MaintainOptions {
            tasks: vec![Task::Partitions],
            rules,
            sealing_key,
            brief_wait: Duration::from_millis(50),
            brief_tries: 3,
            ..MaintainOptions::default()
        };
        let run = maintain(std::slice::from_ref(&site), &options, &CancellationToken::new(), &|_event| {}).await;
        run.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The names of the partitions, oldest first.
    async fn partitions(&self) -> Vec<String> {
        let sql =
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'order_events'::regclass ORDER BY 1";
        self.admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// What the seals tell once something was done, which is then undone.
    async fn audited(&mut self, key: &SigningKey, harm: &str) -> Audited {
        let service = self.database.service();
        let moment = self.admin.transaction().await.unwrap();
        moment.batch_execute(harm).await.unwrap();
        verify(&moment, service, (&key.public(), &[]), Extent::Whole, &|_, _| {}).await.unwrap()
    }

    async fn month(&self, ago: i32) -> String {
        let sql = format!(
            "SELECT to_char((now() AT TIME ZONE 'UTC') - make_interval(months => {ago}), '\"order_events_\"YYYY_MM')"
        );
        self.text(&sql).await
    }
}

fn verbs(reports: &[Report]) -> Vec<(&'static str, bool)> {
    reports.iter().map(|report| (report.action.verb, matches!(report.ending, Ending::Done { .. }))).collect()
}

#[tokio::test]
async fn they_are_made_ahead_and_reached_through_their_table_only() {
    let books = Books::open().await;
    assert_eq!(verbs(&books.maintain(None).await), [("make partitions", true)]);
    assert_eq!(books.partitions().await.len(), 5, "this month's, three more and the default one");
    assert!(books.maintain(None).await.is_empty(), "nothing is due any more");
    books.events(3).await;

    let this_month = books.month(0).await;
    let app = books.connect(&books.database.logins().writer).await;
    let owner = books.connect(&books.database.owner_config()).await;
    for name in books.partitions().await {
        for sql in ["SELECT FROM", "DELETE FROM", "TRUNCATE"] {
            let refused = app.batch_execute(&format!("{sql} {name}")).await.unwrap_err();
            assert_eq!(refused.code().unwrap().code(), "42501", "{sql} {name}");
        }
        for sql in ["DELETE FROM", "TRUNCATE"] {
            let refused = owner.batch_execute(&format!("{sql} {name}")).await.unwrap_err();
            assert!(refused.as_db_error().unwrap().message().contains("never changed or removed"), "{sql} {name}");
        }
    }
    let reader = books.connect(&books.database.config_as("estore_readonly")).await;
    reader.batch_execute("SET estore.role = 'staff'").await.unwrap();
    assert_eq!(reader.query_one("SELECT count(*) FROM order_events", &[]).await.unwrap().get::<_, i64>(0), 9);
    assert_eq!(books.text(&format!("SELECT count(*)::text FROM {this_month}")).await, "3");
    // What the table has, each partition has, by the same definitions.
    let definitions = "SELECT string_agg(DISTINCT definitions, ' / ') FROM (
        SELECT (SELECT string_agg(pg_get_constraintdef(c.oid), ', ' ORDER BY pg_get_constraintdef(c.oid)) FROM pg_constraint c
                WHERE c.conrelid = inhrelid AND c.contype = 'c') ||
               (SELECT count(*) FROM pg_index WHERE indrelid = inhrelid) || ' indexes' AS definitions
        FROM pg_inherits WHERE inhparent = 'order_events'::regclass) all_of_them";
    assert!(!books.text(definitions).await.contains(" / "), "{}", books.text(definitions).await);
}

#[tokio::test]
async fn the_services_own_job_gives_way() {
    let books = Books::open().await;
    let reader = books.connect(&books.database.admin_config()).await;
    reader.batch_execute("BEGIN; SELECT count(*) FROM order_events").await.unwrap();
    let app = books.connect(&books.database.logins().writer).await;
    app.batch_execute("SELECT make_order_event_partitions(3)").await.unwrap();
    assert_eq!(books.partitions().await.len(), 1, "a reader holds the default partition");
    reader.batch_execute("COMMIT").await.unwrap();
    app.batch_execute("SELECT make_order_event_partitions(3)").await.unwrap();
    assert_eq!(books.partitions().await.len(), 5);
}

#[tokio::test]
async fn rows_of_the_default_partition_come_home_while_the_shop_writes() {
    let books = Books::open().await;
    books.events(20_000).await;
    let known = format!("{ROWS} WHERE id <= 60000");
    let before = books.text(&known).await;
    // A run that was cut left one half filled.
    let (cut, past) = (books.month(7).await, books.month(9).await);
    let half = format!(
        "SET ROLE estore_payments_owner; SELECT shape_partition('order_events', '{cut}');
         COMMENT ON TABLE {cut} IS 'rows on their way home from the default partition';
         INSERT INTO {cut} SELECT * FROM order_events WHERE created_at < now() - interval '6 months' LIMIT 5; RESET ROLE"
    );
    books.admin.batch_execute(&half).await.unwrap();
    let (stop, shop) = (CancellationToken::new(), books.connect(&books.database.logins().writer).await);
    let selling = async {
        let sale = "INSERT INTO order_events (order_id, checkout_id, user_id, type, status)
                    VALUES (1, gen_random_uuid(), 7, 'order.paid', 'paid')";
        let mut sold = 0;
        while !stop.is_cancelled() {
            shop.batch_execute(sale).await.unwrap();
            sold += 1;
        }
        sold
    };
    let work = async {
        let reports = books.maintain(None).await;
        stop.cancel();
        reports
    };
    let (sold, reports) = tokio::join!(selling, work);
    assert_eq!(verbs(&reports), [("move rows home", true), ("make partitions", true)], "{reports:?}");
    assert_eq!(books.text(&known).await, before, "every row is there, and once");
    assert_eq!(books.text("SELECT count(*)::text FROM order_events").await, (60_000 + sold).to_string());
    assert_eq!(books.text("SELECT count(*)::text FROM order_events_default").await, "0");
    for (name, more) in [(&cut, 0), (&past, 0), (&books.month(0).await, sold)] {
        assert_eq!(books.text(&format!("SELECT count(*)::text FROM {name}")).await, (20_000 + more).to_string());
    }
    assert_eq!(books.partitions().await.len(), 7);
    let strays = "SELECT count(*)::text FROM pg_constraint WHERE conname = 'of_its_month'";
    assert_eq!(books.text(strays).await, "0");

    // The new default partition is as closed as the old one, and takes what finds no other.
    let app = books.connect(&books.database.logins().writer).await;
    app.batch_execute("SELECT FROM order_events_default").await.unwrap_err();
    let late = "INSERT INTO order_events (order_id, checkout_id, user_id, type, status, created_at)
                VALUES (1, gen_random_uuid(), 7, 'order.paid', 'paid', now() - interval '4 years')";
    app.batch_execute(late).await.unwrap();
    assert_eq!(books.text("SELECT count(*)::text FROM order_events_default").await, "1");
}

#[tokio::test]
async fn rows_stay_where_they_are_while_somebody_stands_in_the_way() {
    let books = Books::open().await;
    books.events(10).await;
    let before = books.text(ROWS).await;
    let reader = books.connect(&books.database.admin_config()).await;
    reader
        .batch_execute("BEGIN; SET LOCAL application_name = 'a long look'; SELECT count(*) FROM order_events")
        .await
        .unwrap();
    let reports = books.maintain(None).await;
    let Ending::GaveWay { .. } = &reports[0].ending else { panic!("{reports:?}") };
    books.events(1).await;
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(books.partitions().await, ["order_events_default"]);
    assert_ne!(books.text(ROWS).await, before);

    // A table of that name that somebody else made is not taken for ours.
    let taken = books.month(7).await;
    books.admin.batch_execute(&format!("CREATE TABLE {taken} (note text)")).await.unwrap();
    let reports = books.maintain(None).await;
    assert!(matches!(&reports[0].ending, Ending::Failed { because } if because.contains("42P07")), "{reports:?}");
    assert_eq!(books.text("SELECT count(*)::text FROM order_events_default").await, "33");
}

#[tokio::test]
async fn old_ones_go_by_rule_and_are_noted() {
    let books = Books::open().await;
    books.events(5).await;
    books.maintain(None).await;
    let (seven, nine) = (books.month(7).await, books.month(9).await);
    assert!(books.maintain(None).await.is_empty(), "without a rule they stay for ever");
    let rule = |keep_months, then| Some(PartitionRule { keep_months, then });
    assert!(books.maintain(rule(9, BecomeOf::Drop)).await.is_empty(), "nine whole months are kept");

    assert_eq!(verbs(&books.maintain(rule(8, BecomeOf::Detach)).await), [("detach partition", true)]);
    assert_eq!(books.text(&format!("SELECT count(*)::text FROM {nine}")).await, "5", "a table of its own");
    assert_eq!(books.text("SELECT count(*)::text FROM order_events").await, "10");
    assert_eq!(verbs(&books.maintain(rule(6, BecomeOf::Drop)).await), [("drop partition", true)]);
    assert_eq!(books.text(&format!("SELECT (to_regclass('{seven}') IS NULL)::text")).await, "true");
    assert_eq!(books.text("SELECT count(*)::text FROM order_events").await, "5");
    let noted = "SELECT string_agg(what_became || ' ' || partition, ', ' ORDER BY partition) FROM partitions_let_go";
    assert_eq!(books.text(noted).await, format!("detached {nine}, dropped {seven}"));

    // A detached one comes back as the manual has it.
    let back = format!(
        "DO $$ DECLARE starts_at timestamptz := date_trunc('month', now(), 'UTC') - interval '9 months'; BEGIN
             EXECUTE format('ALTER TABLE order_events ATTACH PARTITION {nine} FOR VALUES FROM (%L) TO (%L)',
                 starts_at, starts_at + interval '1 month');
         END $$; DELETE FROM partitions_let_go WHERE partition = '{nine}'"
    );
    books.admin.batch_execute(&format!("SET timezone = 'UTC'; {back}")).await.unwrap();
    assert_eq!(books.text("SELECT count(*)::text FROM order_events").await, "10");
}

#[tokio::test]
async fn sealed_ones_go_with_the_key_alone_and_a_seal_says_so() {
    let mut books = Books::open().await;
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(SigningKey::read_or_make(&folder.path().join("audit-key")).unwrap());
    let db = Db::new(books.database.logins(), 1).unwrap();
    let mut sealer = Sealer::new(books.database.service(), db, Arc::clone(&key));
    // As many rows of a month as a seal holds, and the months one after the other.
    for months in [9, 7, 0] {
        let sql = format!(
            "INSERT INTO order_events (order_id, checkout_id, user_id, type, status, created_at)
             SELECT n, gen_random_uuid(), 7, 'order.created', 'pending',
                 date_trunc('month', now(), 'UTC') - interval '{months} months' FROM generate_series(1, 256) n"
        );
        books.admin.batch_execute(&sql).await.unwrap();
    }
    assert!(books.maintain(None).await.iter().all(|report| matches!(report.ending, Ending::Done { .. })));
    let rule = || Some(PartitionRule { keep_months: 8, then: BecomeOf::Drop });
    while sealer.round().await.unwrap().rows == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reports = books.maintain(rule()).await;
    let Ending::GaveWay { to } = &reports[0].ending else { panic!("{reports:?}") };
    assert!(to.contains("the key that its seals are signed with is not here"), "{to}");

    assert_eq!(verbs(&books.maintain_with(rule(), Some(Arc::clone(&key))).await), [("drop partition", true)]);
    let found = books.audited(&key, "SELECT 1").await;
    assert_eq!((found.broken, found.let_go, found.seals, found.rows), (0, 1, 4, 512), "{found:?}");
    // What is let go is not a way to drop more, nor to put something in its place.
    let (nine, seven) = (books.month(9).await, books.month(7).await);
    let dropped = books.audited(&key, &format!("DROP TABLE {seven}")).await;
    assert_eq!((dropped.broken, dropped.faults[0].kind), (1, "rows"), "{nine}: {dropped:?}");
    let put = "INSERT INTO order_events (id, order_id, checkout_id, user_id, type, status, created_at)
               VALUES (1, 1, gen_random_uuid(), 7, 'order.paid', 'paid', now() - interval '9 months')";
    assert_eq!(books.audited(&key, put).await.broken, 1);

    // Rows that no seal holds yet stay.
    let late = "INSERT INTO order_events (order_id, checkout_id, user_id, type, status, created_at) VALUES
                (1, gen_random_uuid(), 7, 'order.created', 'pending', date_trunc('month', now(), 'UTC') - interval '7 months')";
    books.admin.batch_execute(late).await.unwrap();
    let reports = books.maintain_with(Some(PartitionRule { keep_months: 6, then: BecomeOf::Drop }), Some(key)).await;
    let Ending::GaveWay { to } = &reports[0].ending else { panic!("{reports:?}") };
    assert!(to.contains("its newest rows are not sealed yet"), "{to}");
}
