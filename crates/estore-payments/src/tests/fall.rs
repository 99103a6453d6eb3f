//! A database that falls when it hurts most.

use std::sync::Mutex;

use estore_kit::db::Db;
use estore_testkit::cluster::TestDatabase;

/// The database falls once, right after the neighbour or the gateway did what it was asked: every session ends.
#[derive(Default)]
pub(super) struct Fall(Mutex<Option<Db>>);

impl Fall {
    pub(super) fn prepare(&self, database: &TestDatabase) {
        *self.0.lock().unwrap() = Some(Db::new(database.admin_config(), 1).unwrap());
    }

    pub(super) async fn happen(&self) {
        let admin = self.0.lock().unwrap().take();
        if let Some(admin) = admin {
            let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            admin.rows(sql, &[]).await.unwrap();
        }
    }
}
