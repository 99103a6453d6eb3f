//! Rows that may go once they have been kept long enough: what is due, and how it goes, a batch at a time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::db::{Db, DbError};

/// Rows that one statement removes: it holds their locks for some milliseconds.
const BATCH_ROWS_MAX: i64 = 1_000;
/// What is left to the others after each batch.
const BATCH_PAUSE: Duration = Duration::from_millis(5);

/// One kind of rows that are removed in the end. The services' jobs and `estore db maintain` go by the same list.
#[derive(Debug, Clone, Copy)]
pub struct Purge {
    /// A short name in `snake_case`, unique within its database.
    pub name: &'static str,
    /// Which rows, for people.
    pub what: &'static str,
    /// How long they are kept after they have ended.
    pub kept: Duration,
    /// A query that counts what is due; `$1` is how long rows are kept, in seconds.
    pub count: &'static str,
    /// A statement that removes at most `$2` of them.
    pub remove: &'static str,
}

impl Purge {
    /// How many rows are due.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn due(&self, db: &Db) -> Result<i64, DbError> {
        let row = db.row(self.count, &[&self.kept.as_secs_f64()]).await?;
        Ok(row.map(|row| row.get(0)).unwrap_or_default())
    }

    /// Removes what is due, batch by batch, until nothing is left or `stop`; answers how many rows went. `hear` is told
    /// of each batch.
    ///
    /// # Errors
    /// When the database does not work; the batches before stand.
    pub async fn run(
        &self,
        db: &Db,
        stop: &CancellationToken,
        hear: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<u64, DbError> {
        let mut removed = 0;
        while !stop.is_cancelled() {
            let batch = db.execute(self.remove, &[&self.kept.as_secs_f64(), &BATCH_ROWS_MAX]).await?;
            removed += batch;
            hear(batch);
            // Rows that others hold are passed over, so a batch may be small before all is done; the next run has them.
            if batch < BATCH_ROWS_MAX.unsigned_abs() {
                break;
            }
            tokio::time::sleep(BATCH_PAUSE).await;
        }
        Ok(removed)
    }
}
