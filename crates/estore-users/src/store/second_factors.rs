//! Second factors and recovery codes.

use deadpool_postgres::GenericClient;
use estore_kit::db::{DbError, execute, rows};

/// A second factor as it is stored.
#[derive(Debug)]
pub(crate) struct StoredFactor {
    pub(crate) sealed: Vec<u8>,
    pub(crate) is_confirmed: bool,
    /// It was not confirmed in time.
    pub(crate) is_stale: bool,
}

/// What the log-ins of an account may ask for beside the password.
#[derive(Debug)]
pub(crate) struct SecondSteps {
    pub(crate) takes_totp: bool,
    pub(crate) takes_passkey: bool,
    pub(crate) codes_left: i64,
}

impl SecondSteps {
    /// Whether they ask for anything.
    pub(crate) fn any(&self) -> bool {
        self.takes_totp || self.takes_passkey
    }
}

pub(crate) async fn find_second_steps<C: GenericClient>(db: &C, user_id: i32) -> Result<SecondSteps, DbError> {
    let found = rows(db, include_str!("../../queries/find_second_steps.sql"), &[&user_id]).await?;
    let row = found.first();
    Ok(SecondSteps {
        takes_totp: row.is_some_and(|row| row.get("takes_totp")),
        takes_passkey: row.is_some_and(|row| row.get("takes_passkey")),
        codes_left: row.map_or(0, |row| row.get("codes_left")),
    })
}

/// Whether it was put there: a confirmed one stays.
pub(crate) async fn put_totp_factor<C: GenericClient>(db: &C, user_id: i32, sealed: &[u8]) -> Result<bool, DbError> {
    Ok(execute(db, include_str!("../../queries/put_totp_factor.sql"), &[&user_id, &sealed]).await? == 1)
}

pub(crate) async fn find_totp_factor<C: GenericClient>(db: &C, user_id: i32) -> Result<Option<StoredFactor>, DbError> {
    let found = rows(db, include_str!("../../queries/find_totp_factor.sql"), &[&user_id]).await?;
    Ok(found.first().map(|row| StoredFactor {
        sealed: row.get("secret"),
        is_confirmed: row.get::<_, Option<jiff::Timestamp>>("confirmed_at").is_some(),
        is_stale: row.get("is_stale"),
    }))
}

/// Whether it was this one that waited to be confirmed.
pub(crate) async fn confirm_totp_factor<C: GenericClient>(
    db: &C,
    user_id: i32,
    sealed: &[u8],
    step: i64,
) -> Result<bool, DbError> {
    let sql = include_str!("../../queries/confirm_totp_factor.sql");
    Ok(execute(db, sql, &[&user_id, &sealed, &step]).await? == 1)
}

/// Whether the step was later than all that were used.
pub(crate) async fn use_totp_step<C: GenericClient>(db: &C, user_id: i32, step: i64) -> Result<bool, DbError> {
    Ok(execute(db, include_str!("../../queries/use_totp_step.sql"), &[&user_id, &step]).await? == 1)
}

/// Whether there was such a code.
pub(crate) async fn use_recovery_code<C: GenericClient>(db: &C, user_id: i32, hash: &str) -> Result<bool, DbError> {
    Ok(execute(db, include_str!("../../queries/use_recovery_code.sql"), &[&user_id, &hash]).await? == 1)
}

pub(crate) async fn replace_recovery_codes<C: GenericClient>(
    db: &C,
    user_id: i32,
    hashes: &[String],
) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/replace_recovery_codes.sql"), &[&user_id, &hashes]).await.map(drop)
}

/// Removes the recovery codes of an account whose log-ins take no second step any more.
pub(crate) async fn delete_idle_recovery_codes<C: GenericClient>(db: &C, user_id: i32) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/delete_idle_recovery_codes.sql"), &[&user_id]).await.map(drop)
}

/// Whether there was one.
pub(crate) async fn delete_totp_factor<C: GenericClient>(db: &C, user_id: i32) -> Result<bool, DbError> {
    Ok(execute(db, include_str!("../../queries/delete_totp_factor.sql"), &[&user_id]).await? == 1)
}
