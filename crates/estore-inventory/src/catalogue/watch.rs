//! Hears of edits, and reads the stock of what shoppers look at several times a second, on one connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use estore_kit::db::{Db, DbError};
use estore_kit::listen::{Listener, listen};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::Catalogue;
use super::entry::{Entry, Seen};
use super::following::{Following, Known};
use crate::index::Index;
use crate::limits::{FOLLOWED_PRODUCTS_MIN, STOCK_READ_EVERY};
use crate::store::stock::{self, StockRead};

/// What the schema's triggers say of categories.
const LISTS: &str = "lists";
/// What they say of new products, before the first id and the last.
const ADDED: &str = "added ";

/// Keeps the catalogue right until `shutdown`.
pub(crate) async fn watch(db: &Db, catalogue: &Arc<Catalogue>, index: &Arc<Index>, shutdown: &CancellationToken) {
    let watch = Watch { catalogue: Arc::clone(catalogue), index: Arc::clone(index), following: Mutex::default() };
    listen(db, Arc::new(watch), STOCK_READ_EVERY, shutdown).await;
}

struct Watch {
    catalogue: Arc<Catalogue>,
    index: Arc<Index>,
    following: Mutex<Following>,
}

impl Watch {
    /// The stock of those that moved since the read before and of those that it did not have; of all, where they are few,
    /// where more moved than that, or where nothing is known yet.
    async fn read(&self, client: &Client, in_use: &[Arc<Entry>], known: Option<&Known>) -> Result<StockRead, DbError> {
        if let Some(known) = known.filter(|_| in_use.len() > FOLLOWED_PRODUCTS_MIN) {
            let due = self.catalogue.due(in_use, &known.read);
            let read = stock::refresh(client, &due, Some(known.settled), in_use.len()).await?;
            if read.movements < in_use.len() {
                return Ok(read);
            }
        }
        let all: Vec<i32> = in_use.iter().map(|entry| entry.id).collect();
        stock::refresh(client, &all, None, 0).await
    }

    fn following(&self) -> MutexGuard<'_, Following> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Listener for Watch {
    fn channel(&self) -> &'static str {
        "catalogue"
    }

    fn heard(&self, payload: &str) {
        if let Ok(id) = payload.parse() {
            self.catalogue.forget_product(id);
            self.index.heard_of_product(id);
        } else if payload == LISTS {
            self.catalogue.forget_lists();
            self.index.heard_of_categories();
        } else if let Some((first, last)) = added(payload) {
            self.catalogue.forget_lists();
            self.index.heard_of_new(first, last);
        } else {
            self.catalogue.forget_all();
            self.index.heard_of_everything();
        }
    }

    async fn connected(&self, _client: &Client) -> Result<(), DbError> {
        *self.following() = Following::default();
        self.catalogue.empty(true);
        self.index.set_hearing(true);
        Ok(())
    }

    /// Asks even when there is nothing to ask for: that the connection hears is proved by its answer.
    async fn beat(&self, client: &Client) -> Result<(), DbError> {
        // The loss of the connection before may have been told late.
        if !self.catalogue.hears() || !self.index.hears() {
            return Err(DbError::Unavailable("nothing is heard".to_owned()));
        }
        let in_use = self.catalogue.in_use();
        let known = self.following().known().cloned();
        let asked = Instant::now();
        let read = self.read(client, &in_use, known.as_ref()).await?;
        let seen = Arc::new(Seen { asked, as_of: serde_json::to_string(&read.as_of).unwrap_or_default() });
        let before = known.as_ref().map(|known| &known.read);
        for entry in &in_use {
            entry.follow(read.quantities.get(&entry.id).copied(), before, &seen);
        }
        self.following().saw(read.horizon, seen);
        self.catalogue.next_beat();
        Ok(())
    }

    fn lost(&self) {
        self.catalogue.empty(false);
        self.index.set_hearing(false);
    }
}

/// The first id and the last of new products.
fn added(payload: &str) -> Option<(i32, i32)> {
    let (first, last) = payload.strip_prefix(ADDED)?.split_once(' ')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}
