//! API keys.

use deadpool_postgres::GenericClient;
use estore_kit::db::{Db, DbError, View, execute, rows};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::api_key::ApiKey;
use crate::letter::KeysLeft;
use crate::limits::API_KEYS_MAX;
use crate::user::Standing;

/// A key in the making.
#[derive(Debug)]
pub(crate) struct NewApiKey<'a> {
    pub(crate) user_id: i32,
    pub(crate) name: &'a str,
    pub(crate) hash: &'a str,
    pub(crate) hint: &'a str,
    pub(crate) scopes: &'a [&'a str],
    pub(crate) days: i32,
}

/// A key that is good, and its maker.
#[derive(Debug)]
pub(crate) struct FoundApiKey {
    pub(crate) id: Uuid,
    pub(crate) scopes: Vec<String>,
    pub(crate) maker: Standing,
    pub(crate) seconds_left: i64,
}

fn api_key(row: &Row) -> ApiKey {
    ApiKey {
        id: row.get("id"),
        user_id: row.get("user_id"),
        name: row.get("name"),
        hint: row.get("hint"),
        scopes: row.get("scopes"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        last_used_at: row.get("last_used_at"),
        revoked_at: row.get("revoked_at"),
    }
}

/// The key and its maker's address, or nothing when they have too many.
pub(crate) async fn insert_api_key<C: GenericClient>(
    db: &C,
    key: &NewApiKey<'_>,
) -> Result<Option<(ApiKey, String)>, DbError> {
    let NewApiKey { user_id, name, hash, hint, scopes, days } = key;
    let sql = include_str!("../../queries/insert_api_key.sql");
    let id = Uuid::now_v7();
    let made = rows(db, sql, &[&id, user_id, name, hash, hint, scopes, days, &API_KEYS_MAX]).await?;
    Ok(made.first().map(|row| (api_key(row), row.get("email"))))
}

/// The keys with ids below `before`, newest first.
pub(crate) async fn list_api_keys(view: &View, before: Uuid, limit: i64) -> Result<Vec<ApiKey>, DbError> {
    let found = view.rows(include_str!("../../queries/list_api_keys.sql"), &[&before, &limit]).await?;
    Ok(found.iter().map(api_key).collect())
}

/// The key of a hash, if it is good; that it is used is noted.
pub(crate) async fn find_api_key<C: GenericClient>(db: &C, hash: &str) -> Result<Option<FoundApiKey>, DbError> {
    let found = rows(db, include_str!("../../queries/find_api_key.sql"), &[&hash]).await?;
    Ok(found.first().map(|row| FoundApiKey {
        id: row.get("id"),
        scopes: row.get("scopes"),
        maker: Standing {
            id: row.get("user_id"),
            is_verified: true,
            is_admin: row.get("is_admin"),
            roles: row.get("roles"),
        },
        seconds_left: row.get("seconds_left"),
    }))
}

/// Whether the key was good.
pub(crate) async fn revoke_api_key(db: &Db, id: Uuid) -> Result<bool, DbError> {
    Ok(db.signed().row(include_str!("../../queries/revoke_api_key.sql"), &[&id]).await?.is_some())
}

/// What acts for an account or logs in to it without its password.
pub(crate) async fn count_keys_of_user<C: GenericClient>(db: &C, user_id: i32) -> Result<KeysLeft, DbError> {
    let found = rows(db, include_str!("../../queries/count_keys_of_user.sql"), &[&user_id]).await?;
    let count = |name: &str| found.first().map_or(0, |row| row.get(name));
    Ok(KeysLeft { api_keys: count("api_keys"), passkeys: count("passkeys") })
}

pub(crate) async fn revoke_api_keys_of_user<C: GenericClient>(db: &C, user_id: i32) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/revoke_api_keys_of_user.sql"), &[&user_id]).await.map(drop)
}
