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
use crate::limits::STOCK_READ_EVERY;

/// What the schema's triggers say of new products and of moved categories.
const LISTS: &str = "lists";

/// Keeps the catalogue right until `shutdown`.
pub(crate) async fn watch(db: &Db, catalogue: &Arc<Catalogue>, shutdown: &CancellationToken) {
    listen(db, Arc::new(Watch(Arc::clone(catalogue))), STOCK_READ_EVERY, shutdown).await;
}

struct Watch(Arc<Catalogue>);

#[async_trait]
impl Listener for Watch {
    fn channel(&self) -> &'static str {
        "catalogue"
    }

    fn heard(&self, payload: &str) {
        match payload.parse() {
            Ok(id) => self.0.forget_product(id),
            Err(_) if payload == LISTS => self.0.forget_lists(),
            Err(_) => self.0.forget_all(),
        }
    }

    async fn connected(&self, _client: &Client) -> Result<(), DbError> {
        self.0.empty(true);
        Ok(())
    }

    /// Asks even when there is nothing to ask for: that the connection hears is proved by its answer.
    async fn beat(&self, client: &Client) -> Result<(), DbError> {
        // The loss of the connection before may have been told late.
        if !self.0.hears() {
            return Err(DbError::Unavailable("nothing is heard".to_owned()));
        }
        let in_use = self.0.in_use();
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
        self.0.next_beat();
        Ok(())
    }

    fn lost(&self) {
        self.0.empty(false);
    }
}
