//! Hears of edits, and reads the stock of what shoppers look at several times a second, on one connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use estore_kit::db::{Db, DbError};
use estore_kit::listen::{Listener, listen};
use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

use super::Catalogue;
use super::entry::{Seen, Stock};
use crate::index::Index;
use crate::limits::STOCK_READ_EVERY;

/// What the schema's triggers say of categories.
const LISTS: &str = "lists";
/// What they say of new products, before the first id and the last.
const ADDED: &str = "added ";

/// Keeps the catalogue right until `shutdown`.
pub(crate) async fn watch(db: &Db, catalogue: &Arc<Catalogue>, index: &Arc<Index>, shutdown: &CancellationToken) {
    let watch = Watch { catalogue: Arc::clone(catalogue), index: Arc::clone(index) };
    listen(db, Arc::new(watch), STOCK_READ_EVERY, shutdown).await;
}

struct Watch {
    catalogue: Arc<Catalogue>,
    index: Arc<Index>,
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
        let ids: Vec<i32> = in_use.iter().map(|entry| entry.id).collect();
        let asked = Instant::now();
        let sql = include_str!("../../queries/refresh_stock.sql");
        // Planned for the number of products at hand: a few are looked up, many are read.
        let rows = client.query_typed(sql, &[(&ids, Type::INT4_ARRAY)]).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let as_of = serde_json::to_string(&row.get::<_, Timestamp>("as_of")).unwrap_or_default();
        let seen = Arc::new(Seen { asked, as_of });
        let (ids, quantities): (Vec<i32>, Vec<i32>) = (row.get("ids"), row.get("quantities"));
        let quantities: HashMap<i32, i32> = ids.into_iter().zip(quantities).collect();
        for entry in &in_use {
            if let Some(quantity) = quantities.get(&entry.id) {
                entry.restock(Stock { quantity: *quantity, seen: Arc::clone(&seen) });
            }
        }
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
