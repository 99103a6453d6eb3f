//! Reads into the index what is on sale, and anew what was edited.

use estore_kit::db::{Db, DbError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Index, News};
use crate::limits::{INDEX_READ_ROWS, INDEX_RETRY_PAUSE};
use crate::store::index;

/// Keeps the index right until `shutdown`.
pub(crate) async fn feed(db: &Db, index: &Index, shutdown: &CancellationToken) {
    loop {
        let work = async {
            index.bell.notified().await;
            while let Err(error) = index.catch_up(db).await {
                tracing::warn!(%error, "cannot read products into the search index; trying again");
                index.heard_of_everything();
                sleep(INDEX_RETRY_PAUSE).await;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return index.set_hearing(false),
            () = work => {}
        }
    }
}

impl Index {
    async fn catch_up(&self, db: &Db) -> Result<(), DbError> {
        while let Some(news) = self.take_news() {
            if news.everything {
                self.read_everything(db).await?;
            } else if self.read().is_open {
                self.read_news(db, news).await?;
            }
        }
        Ok(())
    }

    /// What is to be read; where there is nothing, the index is whole.
    fn take_news(&self) -> Option<News> {
        let mut news = self.news();
        if news.is_empty() {
            let mut state = self.write();
            state.is_whole = state.is_open && news.hears;
            return None;
        }
        let nothing = News { hears: news.hears, ..News::default() };
        Some(std::mem::replace(&mut *news, nothing))
    }

    async fn read_everything(&self, db: &Db) -> Result<(), DbError> {
        self.empty();
        if self.bytes_max == 0 {
            return Ok(());
        }
        let bytes = index::bytes_of_documents(db).await?;
        if usize::try_from(bytes).unwrap_or(usize::MAX) > self.bytes_max {
            self.give_up(bytes);
            return Ok(());
        }
        self.write().is_open = true;
        self.read_categories(db).await?;
        self.read_added(db, i32::MIN, i32::MAX).await
    }

    async fn read_news(&self, db: &Db, news: News) -> Result<(), DbError> {
        if news.categories {
            self.read_categories(db).await?;
        }
        for (first, last) in news.added {
            self.read_added(db, first, last).await?;
        }
        let edited: Vec<i32> = news.edited.into_iter().collect();
        for ids in edited.chunks(INDEX_READ_ROWS) {
            let mut has_unknown = false;
            for (item, is_active) in index::find(db, ids).await? {
                has_unknown |= !self.put(&item, is_active);
            }
            if has_unknown {
                self.read_categories(db).await?;
                for (item, is_active) in index::find(db, ids).await? {
                    self.put(&item, is_active);
                }
            }
        }
        self.keep_within_bytes();
        Ok(())
    }

    async fn read_categories(&self, db: &Db) -> Result<(), DbError> {
        let rows = index::categories(db).await?;
        self.write().shelf.tree.set(rows);
        Ok(())
    }

    /// The products with ids from `first` to `last`, in stretches.
    async fn read_added(&self, db: &Db, first: i32, last: i32) -> Result<(), DbError> {
        let mut next = Some(first);
        while let Some(from) = next.filter(|from| *from <= last && self.read().is_open) {
            let items = index::list(db, from, last, INDEX_READ_ROWS).await?;
            let is_last = items.len() < INDEX_READ_ROWS;
            if items.iter().any(|item| !self.put(item, true)) {
                self.read_categories(db).await?;
                items.iter().for_each(|item| _ = self.put(item, true));
            }
            self.keep_within_bytes();
            next = items.last().filter(|_| !is_last).and_then(|item| item.id.checked_add(1));
        }
        Ok(())
    }

    fn keep_within_bytes(&self) {
        let bytes = self.read().shelf.bytes();
        if bytes > self.bytes_max {
            self.give_up(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    /// The catalogue is too large for memory: PostgreSQL answers searches, until all is read anew.
    fn give_up(&self, bytes: i64) {
        self.empty();
        let limit = self.bytes_max;
        tracing::warn!(
            bytes,
            limit,
            "the search index needs more memory than inventory.search_bytes_max; PostgreSQL answers searches"
        );
    }
}
