//! Payment methods.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use estore_kit::db::{self, Db, DbError, Viewer};
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::gateway::CardToken;
use crate::payment_method::{MethodDetails, PaymentMethod, StoredMethod};

const READ: &str = include_str!("../../queries/read_methods.sql");
const READ_OWN: &str = include_str!("../../queries/read_method_of_user.sql");
const LIST: &str = include_str!("../../queries/list_methods_of_user.sql");
const ADD: &str = include_str!("../../queries/add_method.sql");
const CLAIM_UNWANTED: &str = include_str!("../../queries/claim_unwanted_cards.sql");
const DROP_UNWANTED: &str = include_str!("../../queries/drop_unwanted_cards.sql");
const DEACTIVATE: &str = include_str!("../../queries/deactivate_method.sql");

/// Payment methods by id, whoever's they are.
pub(crate) async fn by_id<C: GenericClient>(client: &C, ids: &[i32]) -> Result<HashMap<i32, StoredMethod>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = db::rows(client, READ, &[&ids]).await?;
    rows.iter().map(|row| Ok((row.get("id"), stored(row)?))).collect()
}

/// A page of a customer's active payment methods, newest first, before the id `before`.
pub(crate) async fn list(db: &Db, user_id: i32, before: i32, rows_max: i64) -> Result<Vec<PaymentMethod>, DbError> {
    let view = db.seen_by(Viewer::Customer(user_id));
    let rows = view.rows(LIST, &[&user_id.to_string(), &before, &rows_max]).await?;
    rows.iter().map(method).collect()
}

/// One of a customer's payment methods.
pub(crate) async fn seen(db: &Db, user_id: i32, id: i32) -> Result<Option<PaymentMethod>, DbError> {
    let view = db.seen_by(Viewer::Customer(user_id));
    view.row(READ_OWN, &[&user_id.to_string(), &id]).await?.as_ref().map(method).transpose()
}

/// Details as they are stored.
pub(crate) struct StoredDetails {
    pub(crate) kind: &'static str,
    pub(crate) json: Value,
    /// What is personal in them is sealed for this.
    pub(crate) sealed_for: Option<Uuid>,
}

/// Adds a card to a customer at a gateway, which may forget cards, or finds it; answers whether it is new.
pub(crate) async fn add(
    db: &Db,
    user_id: i32,
    details: &StoredDetails,
    (gateway, forgets): (&str, bool),
    token: &CardToken,
) -> Result<(PaymentMethod, bool), DbError> {
    let StoredDetails { kind, json, sealed_for } = details;
    let add: [&(dyn ToSql + Sync); 8] =
        [&user_id, json, &gateway, &token.token, &token.fingerprint, kind, &forgets, sealed_for];
    let row = db.signed().row(ADD, &add).await?;
    let row = row.ok_or_else(|| DbError::Failed("an added payment method did not come back".to_owned()))?;
    Ok((stored(&row)?.method, row.get("is_new")))
}

/// Deactivates a customer's payment method, whose card the gateway `forgetting` is to forget; `false` where there is
/// none.
pub(crate) async fn deactivate(db: &Db, user_id: i32, id: i32, forgetting: Option<&str>) -> Result<bool, DbError> {
    Ok(db.signed().row(DEACTIVATE, &[&id, &user_id.to_string(), &forgetting]).await?.is_some())
}

/// Takes tokens of cards that the gateway is to forget now; what it does not answer comes again later.
pub(crate) async fn claim_unwanted(db: &Db, gateway: &str, rows_max: i64) -> Result<Vec<String>, DbError> {
    let rows = db.rows(CLAIM_UNWANTED, &[&gateway, &rows_max]).await?;
    Ok(rows.iter().map(|row| row.get("gateway_token")).collect())
}

/// The gateway has forgotten these cards.
pub(crate) async fn drop_unwanted(db: &Db, gateway: &str, tokens: &[&str]) -> Result<(), DbError> {
    db.execute(DROP_UNWANTED, &[&gateway, &tokens]).await?;
    Ok(())
}

fn stored(row: &Row) -> Result<StoredMethod, DbError> {
    Ok(StoredMethod { method: method(row)?, gateway: row.get("gateway"), gateway_token: row.get("gateway_token") })
}

fn method(row: &Row) -> Result<PaymentMethod, DbError> {
    let details: Value = row.get("details");
    let details: MethodDetails = serde_json::from_value(details)
        .map_err(|error| DbError::Failed(format!("payment_methods.details: {error}")))?;
    Ok(PaymentMethod {
        id: row.get("id"),
        user_id: row.get("user_id"),
        payment_type: row.get("payment_type"),
        details,
        is_active: row.get::<_, Option<bool>>("is_active").unwrap_or(false),
        created_at: row.get("created_at"),
        sealed_for: row.get("details_sealed_for"),
    })
}
