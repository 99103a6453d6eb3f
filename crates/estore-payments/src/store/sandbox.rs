//! The sandbox gateway's own tables.

use std::collections::HashMap;

use estore_kit::db::{self, Db, DbError};
use uuid::Uuid;

use crate::gateway::GatewayRefund;
use crate::gateway::sandbox::{Behaviour, Behaviours};

const MAKE_KEY: &str = include_str!("../../queries/sandbox_make_key.sql");
const READ_KEY: &str = include_str!("../../queries/sandbox_read_key.sql");
const TOKENISE: &str = include_str!("../../queries/sandbox_tokenise.sql");
const READ_TOKENS: &str = include_str!("../../queries/sandbox_read_tokens.sql");
const MAKE_SALES: &str = include_str!("../../queries/sandbox_make_sales.sql");
const CLOSE_SALES: &str = include_str!("../../queries/sandbox_close_sales.sql");
const READ_SALES: &str = include_str!("../../queries/sandbox_read_sales.sql");
const REFUND: &str = include_str!("../../queries/sandbox_refund.sql");
const READ_REFUNDS: &str = include_str!("../../queries/sandbox_read_refunds.sql");

/// The key of the fingerprints: `offered` on the first start, the one that is there afterwards.
pub(crate) async fn fingerprint_key(db: &Db, offered: &[u8]) -> Result<Vec<u8>, DbError> {
    db.execute(MAKE_KEY, &[&offered]).await?;
    let row = db.row(READ_KEY, &[]).await?;
    row.map(|row| row.get("key")).ok_or_else(|| DbError::Failed("the sandbox has no key".to_owned()))
}

/// The token of the card with this fingerprint: a new one, or the one it has.
pub(crate) async fn tokenise(db: &Db, token: &str, fingerprint: &str, does: Behaviour) -> Result<String, DbError> {
    let row = db.row(TOKENISE, &[&token, &fingerprint, &does.word()]).await?;
    row.map(|row| row.get("token")).ok_or_else(|| DbError::Failed("the sandbox made no token".to_owned()))
}

/// What the cards will do.
pub(crate) async fn behaviours(db: &Db, tokens: &[&str]) -> Result<Behaviours, DbError> {
    let rows = db.rows(READ_TOKENS, &[&tokens]).await?;
    Ok(rows.iter().map(|row| (row.get("token"), Behaviour::of(row.get("behaviour")))).collect())
}

/// Makes or declines sales that are not there yet, and answers the states of all, by key. The commit does not wait for the
/// disk: the settlement's does.
pub(crate) async fn make_sales(db: &Db, sales: &[(Uuid, &'static str, i64)]) -> Result<HashMap<Uuid, String>, DbError> {
    let keys: Vec<Uuid> = sales.iter().map(|sale| sale.0).collect();
    let states: Vec<&str> = sales.iter().map(|sale| sale.1).collect();
    let amounts: Vec<i64> = sales.iter().map(|sale| sale.2).collect();
    let client = db.client().await?;
    let written = db::execute(&client, MAKE_SALES, &[&keys, &states, &amounts]).await?;
    if usize::try_from(written).is_ok_and(|written| written == sales.len()) {
        return Ok(sales.iter().map(|(key, state, _)| (*key, (*state).to_owned())).collect());
    }
    let rows = db::rows(&client, READ_SALES, &[&keys]).await?;
    Ok(rows.iter().map(|row| (row.get("key"), row.get("state"))).collect())
}

/// Closes sales that are not there yet, and answers the states of all, by key. All are on disk then.
pub(crate) async fn close_sales(db: &Db, keys: &[Uuid]) -> Result<HashMap<Uuid, String>, DbError> {
    let rows = db.rows(CLOSE_SALES, &[&keys]).await?;
    Ok(rows.iter().map(|row| (row.get("key"), row.get("state"))).collect())
}

/// Whether the refund is made, now or before; `false` where the sale has less left.
pub(crate) async fn refund(db: &Db, refund: &GatewayRefund) -> Result<bool, DbError> {
    let client = db.client().await?;
    let made = db::execute(&client, REFUND, &[&refund.key, &refund.sale, &refund.amount]).await;
    match made {
        Ok(1) => Ok(true),
        // The same refund came twice at once: the other one made it.
        Ok(_) | Err(DbError::Constraint { .. }) => {
            Ok(!db::rows(&client, READ_REFUNDS, &[&vec![refund.key]]).await?.is_empty())
        }
        Err(error) => Err(error),
    }
}
