//! Transactions whose commit travels with their last statements: all of it, or nothing.

use estore_kit::db::{DbError, Pipelined, execute};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::bench::Bench;

const LEASED: &str = "SELECT count(*) FROM job_leases WHERE name LIKE 'test%'";
/// Each with a text of its own, so that no connection has prepared it before.
const INSERT: [&str; 4] = [
    "INSERT INTO job_leases (name, holder, held_until) VALUES ($1, $2, now()) /* 1 */",
    "INSERT INTO job_leases (name, holder, held_until) VALUES ($1, $2, now()) /* 2 */",
    "INSERT INTO job_leases (name, holder, held_until) VALUES ($1, $2, now()) /* 3 */",
    "INSERT INTO job_leases (name, holder, held_until) VALUES ($1, $2, now()) /* 4 */",
];

#[tokio::test]
async fn what_travels_with_a_commit_is_done_with_it_or_not_at_all() {
    let bench = Bench::start().await;
    let holder = Uuid::now_v7();
    let values: [[&(dyn ToSql + Sync); 2]; 3] = [[&"test-1", &holder], [&"test-2", &holder], [&"test-1", &holder]];
    let begun = async |name: &'static str| {
        let transaction = Pipelined::on(bench.db.client().await.unwrap());
        let first = transaction.begin_with(async |client| execute(client, INSERT[0], &[&name, &holder]).await);
        assert_eq!(first.await.unwrap(), 1);
        transaction
    };
    // The second of the last statements breaks a key: nothing of the transaction is there, and the session is good.
    let refused =
        begun("test-0").await.commit_with([(INSERT[1], &values[1]), (INSERT[2], &[&"test-0", &holder])]).await;
    assert!(refused.unwrap_err().is_constraint("job_leases_pkey"));
    assert_eq!(bench.count(LEASED).await, 0);
    // Dropped: the server takes it back once it finds the connection closed.
    drop(begun("test-1").await);
    execute(&bench.db.client().await.unwrap(), INSERT[3], &values[0]).await.unwrap();
    assert_eq!(bench.count(LEASED).await, 1);
    // The first one fails: so does what was sent behind it.
    let transaction = Pipelined::on(bench.db.client().await.unwrap());
    let failed: Result<u64, DbError> =
        transaction.begin_with(async |client| execute(client, INSERT[0], &values[2]).await).await;
    assert!(failed.unwrap_err().is_constraint("job_leases_pkey"));
    transaction.commit_with([(INSERT[1], &values[1])]).await.unwrap_err();
    assert_eq!(bench.count(LEASED).await, 1);

    begun("test-0").await.commit_with([(INSERT[1], &values[1])]).await.unwrap();
    assert_eq!(bench.count(LEASED).await, 3);
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    assert_eq!(bench.count(open).await, 0);
}
