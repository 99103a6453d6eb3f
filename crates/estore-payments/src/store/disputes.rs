//! Disputes.

use estore_kit::db::{Db, DbError, View};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::dispute::{Dispute, DisputeNews, DisputeState};

const RECORD: &str = include_str!("../../queries/record_dispute.sql");
const LIST: &str = include_str!("../../queries/list_disputes.sql");

/// Records what the gateway says of a dispute of a captured charge; answers of how many orders that was news.
pub(crate) async fn record(db: &Db, news: &DisputeNews, at: Timestamp) -> Result<u64, DbError> {
    let DisputeNews { gateway_reference, checkout_id, amount, currency, reason, state, opened_at } = news;
    let (id, word) = (Uuid::now_v7(), state.word());
    db.execute(RECORD, &[&id, gateway_reference, checkout_id, amount, reason, &word, opened_at, &at, currency]).await
}

/// A page of the disputes, newest first, before the id `before`.
pub(crate) async fn list(
    view: &View,
    before: Option<Uuid>,
    state: Option<DisputeState>,
    rows_max: i64,
) -> Result<Vec<Dispute>, DbError> {
    let word = state.map(DisputeState::word);
    view.rows(LIST, &[&before, &word, &rows_max]).await?.iter().map(dispute).collect()
}

fn dispute(row: &Row) -> Result<Dispute, DbError> {
    let word: &str = row.get("state");
    Ok(Dispute {
        id: row.get("id"),
        gateway: row.get("gateway"),
        gateway_reference: row.get("gateway_reference"),
        checkout_id: row.get("checkout_id"),
        user_id: row.get("user_id"),
        amount: row.get("amount"),
        currency: row.get("currency"),
        reason: row.get("reason"),
        state: DisputeState::of(word).ok_or_else(|| DbError::Failed(format!("disputes.state: {word}")))?,
        opened_at: row.get("opened_at"),
        closed_at: row.get("closed_at"),
    })
}
