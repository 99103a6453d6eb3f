//! Who may do what: `docs/security.md` says so for each role and table, and the databases are held to it.

use std::collections::BTreeSet;

use estore_kit::check::{ROLES_ARE_NARROW, ROWS_ARE_CLOSED};
use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::roles::{BACKUP, MONITOR, READER, STAFF, Service};
use estore_testkit::cluster::{TestCluster, TestDatabase};

const PAGE: &str = include_str!("../../../../docs/security.md");
const VERBS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

pub fn migrations(service: Service) -> &'static [Migration] {
    match service {
        Service::Users => estore_users::MIGRATIONS,
        Service::Inventory => estore_inventory::MIGRATIONS,
        Service::Payments => estore_payments::MIGRATIONS,
    }
}

async fn database(service: Service) -> (TestDatabase, Connection) {
    let database = TestCluster::shared().await.database(service.name(), migrations(service)).await;
    let admin = Connection::open(&database.admin_config()).await.unwrap();
    (database, admin)
}

/// What a role may do with a table: `SIUD`; a small `s` where it may read some columns only.
async fn rights(admin: &Connection, role: &str, table: &str) -> String {
    let mut rights = String::new();
    for verb in VERBS {
        let sql = "SELECT has_table_privilege($1::text, $2::text, $3::text), \
                   $3 = 'SELECT' AND has_any_column_privilege($1::text, $2::text, 'SELECT')";
        let row = admin.query_one(sql, &[&role, &table, &verb]).await.unwrap();
        match (row.get(0), row.get(1)) {
            (true, _) => rights.push_str(&verb[..1]),
            (false, true) => rights.push('s'),
            (false, false) => {}
        }
    }
    if rights.is_empty() { "–".to_owned() } else { rights }
}

/// The page's lines for a database as they would have to be.
async fn lines(service: Service, admin: &Connection) -> BTreeSet<String> {
    let sql = "SELECT c.relname::text, CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN coalesce((
                   SELECT string_agg(polname, ', ' ORDER BY polname) FROM pg_policy
                   WHERE polrelid = c.oid AND polname <> 'whole'), 'closed') ELSE 'open' END
               FROM pg_class c
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition";
    let mut lines = BTreeSet::new();
    for row in admin.query(sql, &[]).await.unwrap() {
        let (table, rows): (String, String) = (row.get(0), row.get(1));
        let mut cells = vec![service.name().to_owned(), format!("`{table}`"), rows];
        for role in [service.writer(), service.app(), STAFF, READER] {
            cells.push(rights(admin, role, &table).await);
        }
        lines.insert(format!("| {} |", cells.join(" | ")));
    }
    lines
}

#[tokio::test]
async fn every_role_has_the_rights_that_the_page_states_and_no_others() {
    let (mut stated, mut found) = (BTreeSet::new(), BTreeSet::new());
    for service in Service::ALL {
        let start = format!("| {} |", service.name());
        stated.extend(PAGE.lines().filter(|line| line.starts_with(&start)).map(str::to_owned));
        let (_database, admin) = database(service).await;
        found.extend(lines(service, &admin).await);
    }
    let table = found.iter().cloned().collect::<Vec<_>>().join("\n");
    let wrong: Vec<_> = stated.symmetric_difference(&found).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\ndiffer; docs/security.md would have to say\n{table}");
}

#[tokio::test]
async fn those_who_look_after_all_databases_have_what_they_need_only() {
    for service in Service::ALL {
        let (_database, admin) = database(service).await;
        let sql = "SELECT relname::text, relispartition FROM pg_class
                   WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')";
        for row in admin.query(sql, &[]).await.unwrap() {
            let table: String = row.get(0);
            let ledger = table == "estore_migrations";
            assert_eq!(rights(&admin, BACKUP, &table).await, "S", "{table}");
            assert_eq!(rights(&admin, MONITOR, &table).await, if ledger { "S" } else { "–" }, "{table}");
            assert_eq!(rights(&admin, service.owner(), &table).await, "SIUD", "{table}");
            if row.get(1) {
                for role in [service.app(), STAFF, READER] {
                    assert_eq!(rights(&admin, role, &table).await, "–", "{role}: {table}");
                }
            }
        }
        for other in Service::ALL.into_iter().filter(|other| *other != service) {
            for role in [other.owner(), other.writer(), other.app()] {
                let sql = "SELECT has_database_privilege($1::text, current_database(), 'CONNECT'), \
                           has_schema_privilege($1::text, 'public', 'USAGE')";
                let row = admin.query_one(sql, &[&role]).await.unwrap();
                assert!(!row.get::<_, bool>(0) && !row.get::<_, bool>(1), "{role} in {service}");
            }
        }
        let sql = "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'estore\\_%' AND (rolsuper OR rolcreaterole OR \
                   rolcreatedb OR rolreplication OR (rolbypassrls AND rolname <> 'estore_backup') \
                   OR (rolcanlogin AND rolname ~ '_(owner|staff)$'))";
        assert!(admin.query(sql, &[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_table_that_names_a_user_and_has_no_policy_is_found() {
    for service in Service::ALL {
        let (_database, admin) = database(service).await;
        let found = async || {
            let rows = admin.query(ROWS_ARE_CLOSED.sql, &[]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
        };
        assert!(found().await.is_empty());
        admin.batch_execute("CREATE TABLE wishes (user_id integer)").await.unwrap();
        assert_eq!(found().await.len(), 1);
        let close = "ALTER TABLE wishes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
        admin.batch_execute(close).await.unwrap();
        assert_eq!(found().await, ["table wishes: row-level security is forced, and no policy lets the service in"]);
        let (writer, app) = (service.writer(), service.app());
        admin.batch_execute(&format!("CREATE POLICY whole ON wishes TO {writer} USING (true)")).await.unwrap();
        assert!(found().await.is_empty());
        admin.batch_execute(&format!("CREATE POLICY own ON wishes TO {app} USING (user_id > 0)")).await.unwrap();
        assert_eq!(found().await, ["table wishes: the policy own does not ask for whom its rows are shown"]);
    }
}

#[tokio::test]
async fn a_role_that_could_pass_by_is_found() {
    let (_database, admin) = database(Service::Users).await;
    for (harm, mend) in [
        ("ALTER TABLE users OWNER TO estore_users_app", "ALTER TABLE users OWNER TO estore_users_owner"),
        ("GRANT DELETE ON users TO estore_staff", "REVOKE DELETE ON users FROM estore_staff"),
    ] {
        assert!(admin.query(ROLES_ARE_NARROW.sql, &[]).await.unwrap().is_empty());
        admin.batch_execute(harm).await.unwrap();
        assert!(!admin.query(ROLES_ARE_NARROW.sql, &[]).await.unwrap().is_empty(), "{harm}");
        admin.batch_execute(mend).await.unwrap();
    }
}
