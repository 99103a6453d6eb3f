//! Migrations through the tool, and services on a PostgreSQL of one's own.

use std::path::Path;
use std::process::Command;

use estore_ops::postgres::{ClusterOptions, PrivateCluster};
use estore_testkit::shop::Processes;
use tokio_postgres::NoTls;

use crate::own_shop;

/// The columns and indexes that the worked example of docs/operations.md adds.
const COUNT: &str = "SELECT (SELECT count(*) FROM information_schema.columns
                              WHERE table_name = 'orders' AND column_name = 'payment_status'
                                AND data_type = 'character varying')
                          + (SELECT count(*) FROM pg_indexes
                              WHERE tablename = 'orders' AND indexname = 'idx_orders_payment_status')";

#[tokio::test]
async fn the_worked_example_goes_up_and_down() {
    let shop = own_shop(Processes::One).await;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    shop.estore(&["db", "migrate", "new", "add_payment_status", "--dir", dir], "");
    let made = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let up = "ALTER TABLE orders ADD COLUMN payment_status VARCHAR;\n\
              CREATE INDEX idx_orders_payment_status ON orders(payment_status);\n";
    let down = "-- destructive: orders.payment_status\nDROP INDEX idx_orders_payment_status;\n\
                ALTER TABLE orders DROP COLUMN payment_status;\n";
    std::fs::write(made.join("up.sql"), up).unwrap();
    std::fs::write(made.join("down.sql"), down).unwrap();
    let url = shop.estore(&["db", "url", "payments"], "");
    let (client, connection) = tokio_postgres::connect(url.trim(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let count = async || client.query_one(COUNT, &[]).await.unwrap().get::<_, i64>(0);

    let with_dir = ["--database", "payments", "--dir", dir];
    let migrate = |words: &[&str]| shop.try_estore(&[&["db", "migrate"], words, &with_dir].concat(), "");
    assert_eq!(count().await, 0);
    assert!(migrate(&["up"]).0);
    assert_eq!(count().await, 2);
    assert!(!migrate(&["down"]).0, "a step that loses data needs --destructive");
    assert_eq!(count().await, 2);
    let (ok, out, err) = migrate(&["down", "--destructive"]);
    assert!(ok, "{out}{err}");
    assert_eq!(count().await, 0);
    let (ok, out, err) = migrate(&["check"]);
    assert!(ok, "{out}{err}");
}

#[tokio::test]
async fn every_migration_goes_up_down_and_up_with_rows() {
    let shop = own_shop(Processes::One).await;
    let out = shop.estore(&["db", "migrate", "check"], "");
    for database in ["users", "inventory", "payments"] {
        assert!(out.contains(database), "{out}");
    }
}

#[tokio::test]
async fn services_run_on_a_postgresql_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let cluster = PrivateCluster::start(&folder.path().join("theirs"), ClusterOptions::for_tests()).await.unwrap();
    let ours = folder.path().join("ours");
    let mut environment = vec![("ESTORE_DATA_DIR".to_owned(), ours.to_str().unwrap().to_owned())];
    for service in ["users", "inventory", "payments"] {
        let name = service.to_uppercase();
        let app = cluster.url_for(&format!("estore_{service}"), &format!("estore_{service}_app"));
        environment.push((format!("ESTORE_DATABASES__{name}__URL"), app));
        environment.push((format!("ESTORE_DATABASES__{name}__ADMIN_URL"), cluster.url_for("postgres", "postgres")));
    }
    let estore = |arguments: &[&str]| {
        let mut command = Command::new(crate::ESTORE);
        command.args(arguments).envs(environment.clone());
        command
    };
    let early = estore(&["serve", "all", "--listen", "127.0.0.1:0"]).output().unwrap();
    let told = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(!early.status.success() && told.contains("estore db migrate up"), "{told}");
    assert!(estore(&["db", "migrate", "up"]).output().unwrap().status.success());
    let doctor = estore(&["doctor"]).output().unwrap();
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut server = estore(&["serve", "all", "--listen", &address]).spawn().unwrap();
    let url = format!("http://{address}/health/ready");
    let mut ready = false;
    for _ in 0..200 {
        ready = reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success());
        if ready {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(server.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(server.wait().unwrap().success() && ready);
    assert!(!Path::new(&ours).join("postgres").exists(), "no private cluster is made");
    cluster.stop().await.unwrap();
}
