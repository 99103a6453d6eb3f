//! Mailed tokens: stored as hashes, used once, ending by themselves.

use deadpool_postgres::GenericClient;
use estore_kit::db::{DbError, execute, rows};

use crate::email::Email;

/// Whose password a token resets.
#[derive(Debug)]
pub(crate) struct ResetHolder {
    pub(crate) user_id: i32,
    pub(crate) email: String,
}

/// An address that has been proved.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) user_id: i32,
    pub(crate) email: String,
    /// The letter confirmed another password than the account had.
    pub(crate) has_another_password: bool,
}

/// An address that has been switched.
#[derive(Debug)]
pub(crate) struct EmailChanged {
    pub(crate) user_id: i32,
    pub(crate) old_email: String,
    pub(crate) new_email: String,
}

pub(crate) async fn insert_verification_token<C: GenericClient>(
    db: &C,
    user_id: i32,
    hash: &str,
    hours: i32,
) -> Result<(), DbError> {
    let sql = include_str!("../../queries/insert_verification_token.sql");
    execute(db, sql, &[&user_id, &hash, &hours]).await.map(drop)
}

/// The account that is verified now.
pub(crate) async fn use_verification_token<C: GenericClient>(db: &C, hash: &str) -> Result<Option<Verified>, DbError> {
    let used = rows(db, include_str!("../../queries/use_verification_token.sql"), &[&hash]).await?;
    Ok(used.first().map(|row| Verified {
        user_id: row.get("id"),
        email: row.get("email"),
        has_another_password: row.get("is_another"),
    }))
}

pub(crate) async fn delete_verification_tokens<C: GenericClient>(db: &C, user_id: i32) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/delete_verification_tokens.sql"), &[&user_id]).await.map(drop)
}

pub(crate) async fn insert_password_reset_token<C: GenericClient>(
    db: &C,
    user_id: i32,
    hash: &str,
    minutes: i32,
) -> Result<(), DbError> {
    let sql = include_str!("../../queries/insert_password_reset_token.sql");
    execute(db, sql, &[&user_id, &hash, &minutes]).await.map(drop)
}

pub(crate) async fn find_password_reset_token<C: GenericClient>(
    db: &C,
    hash: &str,
) -> Result<Option<ResetHolder>, DbError> {
    let found = rows(db, include_str!("../../queries/find_password_reset_token.sql"), &[&hash]).await?;
    Ok(found.first().map(|row| ResetHolder { user_id: row.get("user_id"), email: row.get("email") }))
}

/// The account whose password may be set now.
pub(crate) async fn use_password_reset_token<C: GenericClient>(db: &C, hash: &str) -> Result<Option<i32>, DbError> {
    let used = rows(db, include_str!("../../queries/use_password_reset_token.sql"), &[&hash]).await?;
    Ok(used.first().map(|row| row.get(0)))
}

pub(crate) async fn put_email_change<C: GenericClient>(
    db: &C,
    user_id: i32,
    hash: &str,
    new_email: &Email,
    hours: i32,
) -> Result<(), DbError> {
    let sql = include_str!("../../queries/put_email_change.sql");
    execute(db, sql, &[&user_id, &hash, &new_email.as_str(), &hours]).await.map(drop)
}

pub(crate) async fn use_email_change<C: GenericClient>(db: &C, hash: &str) -> Result<Option<EmailChanged>, DbError> {
    let used = rows(db, include_str!("../../queries/use_email_change.sql"), &[&hash]).await?;
    Ok(used.first().map(|row| EmailChanged {
        user_id: row.get("id"),
        old_email: row.get("old_email"),
        new_email: row.get("new_email"),
    }))
}
