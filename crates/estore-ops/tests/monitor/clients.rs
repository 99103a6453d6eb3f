//! Clients, and who waits for whom.

use estore_ops::connection::Connection;
use estore_ops::monitor::report::Report;
use tokio_postgres::Config;

use crate::setup::Watched;

async fn client(config: &Config, name: &str) -> Connection {
    let mut config = config.clone();
    config.application_name(name);
    Connection::open(&config).await.unwrap()
}

/// What is told, once its clients are those that psql tells: connections of the looks before may still be closing.
async fn clients_as_psql_tells(watched: &Watched) -> Report {
    let name = watched.database.name();
    let sql = "SELECT usename, state, count(*), count(*) FILTER (WHERE wait_event_type = 'Lock') FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            AND usename <> 'estore_monitor' GROUP BY 1, 2 ORDER BY 1, 2";
    let mut looks = 0;
    loop {
        let told = watched.told().await;
        let clients = told.servers[0].wholes.clients.as_ref().unwrap().seen().unwrap();
        let ours = clients.iter().filter(|one| one.database == name && one.role != "estore_monitor");
        let mut ours: Vec<Vec<String>> = ours
            .map(|one| {
                vec![
                    one.role.clone(),
                    one.state.clone(),
                    one.connections.to_string(),
                    one.waiting_for_locks.to_string(),
                ]
            })
            .collect();
        ours.sort();
        let theirs = watched.psql(sql);
        looks += 1;
        if ours == theirs || looks == 60 {
            assert_eq!(ours, theirs);
            return told;
        }
    }
}

#[tokio::test]
async fn clients_and_waits_are_those_that_psql_tells() {
    let watched = Watched::empty().await;
    let config = watched.database.owner_config();
    let holder = client(&config, "holder").await;
    holder.batch_execute("CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'x')").await.unwrap();
    let holds = "UPDATE t SET a = 'ann@example.org' WHERE id = 1";
    holder.batch_execute(&format!("BEGIN; {holds}")).await.unwrap();
    let (waiter, second) = (client(&config, "waiter").await, client(&config, "second").await);
    let _idle = client(&config, "idle").await;
    let wait =
        tokio::spawn(async move { waiter.batch_execute("UPDATE t SET a = 'bob@example.org' WHERE id = 1").await });
    let waiting = |wanted: i64| {
        let watched = &watched;
        async move {
            while watched.number(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            ) < wanted
            {
                tokio::task::yield_now().await;
            }
        }
    };
    waiting(1).await;
    let locking = tokio::spawn(async move { second.batch_execute("BEGIN; LOCK TABLE t; ROLLBACK").await });
    waiting(2).await;
    let told = clients_as_psql_tells(&watched).await;
    let total = watched.number("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'");
    assert!(total >= 4 && told.servers[0].server.connections >= 4);
    let locks = told.databases[0].present.locks.as_ref().unwrap().seen().unwrap();
    let mut ours: Vec<Vec<String>> =
        locks.iter().map(|one| vec![one.waiter.to_string(), one.blocker.unwrap().to_string()]).collect();
    ours.sort();
    let sql = "SELECT pid, unnest(pg_blocking_pids(pid)) FROM pg_locks WHERE NOT granted AND pid IN
        (SELECT pid FROM pg_stat_activity WHERE datname = current_database()) ORDER BY 1, 2";
    let mut theirs = watched.psql(sql);
    theirs.sort();
    assert_eq!(ours, theirs);
    let row = locks.iter().find(|one| one.waiter_application.as_deref() == Some("waiter")).unwrap();
    assert_eq!(row.blocker_application.as_deref(), Some("holder"));
    assert_eq!(row.blocker_state.as_deref(), Some("idle in transaction"));
    assert_eq!(row.waiter_statement.as_deref(), Some("UPDATE t SET a = ? WHERE id = ?"));
    assert_eq!(row.blocker_statement.as_deref(), Some("BEGIN; UPDATE t SET a = ? WHERE id = ?"));
    assert_eq!(row.blocker_waits, Some(false));
    let held = locks.iter().find(|one| one.waiter_application.as_deref() == Some("second")).unwrap();
    assert_eq!((held.table_name.as_deref(), held.mode.as_str()), (Some("t"), "AccessExclusiveLock"));
    let sessions = told.databases[0].present.sessions.as_ref().unwrap().seen().unwrap();
    let oldest = sessions.iter().max_by_key(|one| one.transaction_ms).unwrap();
    assert_eq!((oldest.application.as_str(), oldest.state.as_str()), ("holder", "idle in transaction"));
    assert!(!serde_json::to_string(&told).unwrap().contains("@example.org"), "values are not told");
    drop(holder);
    wait.await.unwrap().unwrap();
    locking.await.unwrap().unwrap();
}
