//! Rows whose time is over, by the same lists that the services' jobs go by.

use std::sync::atomic::{AtomicU64, Ordering};

use estore_kit::db::{Db, DbError};
use estore_kit::purge::Purge;

use super::action::{Action, Ending, Task};
use super::options::Site;
use super::progress::Event;
use super::session::Session;

/// The pool that removes; its statements are bounded as a service's are.
pub(super) fn pool(site: &Site) -> Result<Db, DbError> {
    let mut config = site.config.clone();
    config.application_name("estore maintain");
    config.options(format!("-c role={} -c search_path=public", site.owner));
    Db::new(config, 1)
}

/// What is due, with its list entry and how many rows it is.
pub(super) async fn due(site: &Site, db: &Db) -> Result<Vec<(Purge, i64, Action)>, DbError> {
    let mut found = Vec::new();
    for purge in &site.purges {
        let rows = purge.due(db).await?;
        if rows > 0 {
            let why = format!("{rows} rows: {}", purge.what);
            let action = Action { task: Task::Purge, verb: "purge", target: purge.name.to_owned(), why };
            found.push((*purge, rows, action));
        }
    }
    Ok(found)
}

/// Removes what is due of one kind, batch by batch.
pub(super) async fn remove(session: &Session<'_>, db: &Db, purge: &Purge, due: i64) -> Ending {
    let (gone, total) = (AtomicU64::new(0), due.unsigned_abs());
    let hear = |batch: u64| {
        let done = gone.fetch_add(batch, Ordering::Relaxed) + batch;
        (session.progress)(Event::Step { phase: "removing rows", done, total });
    };
    match purge.run(db, session.stop(), &hear).await {
        Ok(_) if session.is_over() => Ending::Stopped,
        Ok(rows) => Ending::Done { brought: format!("{rows} rows are gone") },
        Err(DbError::Unavailable(cause)) => Ending::GaveWay { to: cause },
        Err(error) => Ending::Failed { because: error.to_string() },
    }
}
