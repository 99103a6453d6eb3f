//! The roles and databases of a new server, and their passwords.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use estore_ops::connection::Connection;
use estore_ops::roles::{self, RoleOptions, Service};

use crate::setup::{place, start};

#[tokio::test]
async fn roles_and_databases_are_made_once_even_by_two_at_a_time() {
    let (_folder, data_dir) = place();
    let cluster = start(&data_dir).await.unwrap();
    let administrator = cluster.config_for("postgres", "postgres");
    let options = RoleOptions { server_is_ours: true, ..RoleOptions::default() };
    let began = Instant::now();
    let (first, second) =
        tokio::join!(roles::bootstrap(&administrator, &options), roles::bootstrap(&administrator, &options));
    first.unwrap();
    second.unwrap();
    eprintln!("two bootstraps: {} ms", began.elapsed().as_millis());
    let began = Instant::now();
    roles::bootstrap(&administrator, &options).await.unwrap();
    eprintln!("a bootstrap with nothing to do: {} ms", began.elapsed().as_millis());
    for service in Service::ALL {
        for role in [service.app(), service.writer()] {
            let connection = Connection::open(&cluster.config_for(service.database(), role)).await.unwrap();
            assert!(connection.batch_execute("CREATE TABLE mine (a int)").await.is_err());
            assert!(connection.batch_execute("CREATE TEMP TABLE mine (a int)").await.is_err());
            for closed in ["postgres", "template1"] {
                assert!(Connection::open(&cluster.config_for(closed, role)).await.is_err(), "{closed}");
            }
        }
        assert!(Connection::open(&cluster.config_for(service.database(), service.owner())).await.is_err());
        let monitor = Connection::open(&cluster.config_for(service.database(), roles::MONITOR)).await.unwrap();
        monitor.query("SELECT query FROM pg_stat_statements LIMIT 1", &[]).await.unwrap();
    }
    assert!(Connection::open(&cluster.config_for("estore_users", "estore_payments_app")).await.is_err());
    let admin = Connection::open(&administrator).await.unwrap();
    let sql = "SELECT string_agg(rolname, ',') FROM pg_roles
               WHERE rolname LIKE 'estore_%' AND (rolsuper OR rolcreaterole OR rolcreatedb
                   OR (rolbypassrls AND rolname <> 'estore_backup'))";
    assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, Option<String>>(0), None);
    let url = cluster.url_for("estore_users", "estore_users_app");
    let psql = Command::new("psql").args([&url, "-Atc", "SELECT current_user"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&psql.stdout).trim(), "estore_users_app");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn passwords_reach_the_server_only_as_verifiers() {
    let (_folder, data_dir) = place();
    let cluster = start(&data_dir).await.unwrap();
    let administrator = cluster.config_for("postgres", "postgres");
    let mut options = RoleOptions { services: vec![Service::Users], ..RoleOptions::default() };
    options.passwords.insert("estore_users_app".to_owned(), "s3cret 'quoted'".into());
    options.passwords.insert("estore_users_owner".to_owned(), "owner".into());
    assert!(!format!("{options:?}").contains("s3cret"));
    let admin = Connection::open(&administrator).await.unwrap();
    admin.batch_execute("ALTER SYSTEM SET log_statement = 'all'; ").await.unwrap();
    admin.execute("SELECT pg_reload_conf()", &[]).await.unwrap();
    // The server reads its settings when it comes to it.
    loop {
        let asking = Connection::open(&administrator).await.unwrap();
        if asking.query_one("SHOW log_statement", &[]).await.unwrap().get::<_, String>(0) == "all" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    roles::bootstrap(&administrator, &options).await.unwrap();
    let sql = "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'estore_users_app'";
    assert!(admin.query_one(sql, &[]).await.unwrap().get::<_, bool>(0));
    Connection::open(&cluster.config_for("estore_users", "estore_users_owner")).await.unwrap();
    let sql = "SELECT string_agg(datname, ',') FROM pg_database WHERE datname LIKE 'estore_%'";
    assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, String>(0), "estore_users");
    cluster.stop().await.unwrap();
    let logs = fs::read_dir(data_dir.join("postgres/log")).unwrap().flatten();
    let text: String = logs.map(|log| fs::read_to_string(log.path()).unwrap()).collect();
    assert!(text.contains("ALTER ROLE") && !text.contains("s3cret"));
    options.passwords.insert("somebody".to_owned(), "x".into());
    assert!(roles::bootstrap(&administrator, &options).await.unwrap_err().to_string().contains("somebody"));
}
