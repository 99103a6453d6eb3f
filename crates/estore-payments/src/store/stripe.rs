//! What is known of Stripe's side.

use estore_kit::db::{Db, DbError};
use uuid::Uuid;

const NOTE_INTENT: &str = include_str!("../../queries/stripe_note_intent.sql");
const READ_INTENT: &str = include_str!("../../queries/stripe_read_intent.sql");
const NOTE_CUSTOMER: &str = include_str!("../../queries/stripe_note_customer.sql");
const READ_CUSTOMER: &str = include_str!("../../queries/stripe_read_customer.sql");
const SEEN_EVENT: &str = include_str!("../../queries/stripe_seen_event.sql");
const NOTE_EVENT: &str = include_str!("../../queries/stripe_note_event.sql");
const FIND_CHARGE: &str = include_str!("../../queries/stripe_find_charge.sql");
const HURRY_REFUND: &str = include_str!("../../queries/hurry_refund.sql");

/// What is noted of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Noted {
    /// The one intent that may be confirmed for it.
    Intent(String),
    /// It was closed before it had one.
    Closed,
}

/// Notes an intent for a charge unless something is noted already; answers what is.
pub(crate) async fn note_intent(db: &Db, key: Uuid, intent: &str) -> Result<Noted, DbError> {
    db.execute(NOTE_INTENT, &[&key, &intent]).await?;
    noted(db, key).await?.ok_or_else(|| DbError::Failed("a noted intent did not come back".to_owned()))
}

/// Closes a charge unless an intent is noted; answers what is.
pub(crate) async fn close(db: &Db, key: Uuid) -> Result<Noted, DbError> {
    db.execute(NOTE_INTENT, &[&key, &None::<&str>]).await?;
    noted(db, key).await?.ok_or_else(|| DbError::Failed("a closed charge did not come back".to_owned()))
}

/// What is noted of a charge.
pub(crate) async fn noted(db: &Db, key: Uuid) -> Result<Option<Noted>, DbError> {
    let row = db.row(READ_INTENT, &[&key]).await?;
    Ok(row.map(|row| row.get::<_, Option<String>>("intent").map_or(Noted::Closed, Noted::Intent)))
}

/// The charge that an intent was made for, which is its checkout.
pub(crate) async fn find_charge(db: &Db, intent: &str) -> Result<Option<Uuid>, DbError> {
    Ok(db.row(FIND_CHARGE, &[&intent]).await?.map(|row| row.get("key")))
}

/// A user's name at Stripe.
pub(crate) async fn customer(db: &Db, user_id: i32) -> Result<Option<String>, DbError> {
    Ok(db.row(READ_CUSTOMER, &[&user_id]).await?.map(|row| row.get("customer")))
}

/// Notes a user's name at Stripe; answers the one that was noted first.
pub(crate) async fn note_customer(db: &Db, user_id: i32, name: &str) -> Result<String, DbError> {
    db.execute(NOTE_CUSTOMER, &[&user_id, &name]).await?;
    Ok(customer(db, user_id).await?.unwrap_or_else(|| name.to_owned()))
}

/// Whether an event has had its effect.
pub(crate) async fn is_handled(db: &Db, event: &str) -> Result<bool, DbError> {
    Ok(db.row(SEEN_EVENT, &[&event]).await?.is_some())
}

/// Notes that an event, made at `created` seconds since 1970, has had its effect.
pub(crate) async fn note_handled(db: &Db, event: &str, kind: &str, created: i64) -> Result<(), DbError> {
    db.execute(NOTE_EVENT, &[&event, &kind, &created]).await?;
    Ok(())
}

/// There is news of a refund; `has_failed` where it says that the money came back.
pub(crate) async fn hurry_refund(db: &Db, refund: Uuid, has_failed: bool) -> Result<(), DbError> {
    db.execute(HURRY_REFUND, &[&refund, &has_failed]).await?;
    Ok(())
}
