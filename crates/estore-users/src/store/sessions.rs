//! Sessions and their refresh tokens.

use deadpool_postgres::GenericClient;
use estore_kit::db::{DbError, View, execute, rows};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::users::standing;
use crate::throttle::Subjects;
use crate::user::Standing;

pub(super) const LIST_SESSIONS: &str = include_str!("../../queries/list_sessions.sql");

/// A session that begins.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    pub(crate) id: Uuid,
    pub(crate) user_id: i32,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) days: i32,
    pub(crate) token_hash: &'a str,
    /// The hash that the password was checked against.
    pub(crate) hashed_password: &'a str,
    /// Whether the account need not have proved its address.
    pub(crate) admits_unverified: bool,
    /// Whence it begins.
    pub(crate) subjects: &'a Subjects,
}

/// A session as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountSession)]
pub(crate) struct Session {
    /// The session's id, `sid` in its access tokens.
    pub(crate) id: Uuid,
    /// What logged in, as it named itself.
    pub(crate) user_agent: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) created_at: Timestamp,
    /// When it was last refreshed.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) last_used_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) expires_at: Timestamp,
    /// When it was ended.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(crate) ended_at: Option<Timestamp>,
}

/// A session that is open, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenSession {
    /// The session's id, `sid` in its access tokens.
    pub(crate) id: Uuid,
    /// What logged in, as it named itself.
    pub(crate) user_agent: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) created_at: Timestamp,
    /// When it was last refreshed; an access token may have been used later, by as long as it is good.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) last_used_at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub(crate) is_current: bool,
}

/// Whether the account is still active, its address proved where that is asked, and its password the one that was checked.
/// What it may do is to be read after this, in the same transaction, which keeps it so.
pub(crate) async fn begin_session<C: GenericClient>(db: &C, session: &NewSession<'_>) -> Result<bool, DbError> {
    let sql = include_str!("../../queries/begin_session.sql");
    let NewSession { id, user_id, user_agent, days, token_hash, hashed_password, admits_unverified, subjects } =
        session;
    let Subjects { address, pair, .. } = subjects;
    let asked: [&(dyn ToSql + Sync); 9] =
        [id, user_id, user_agent, address, days, token_hash, pair, hashed_password, admits_unverified];
    Ok(execute(db, sql, &asked).await? == 1)
}

/// The session, whom it speaks for and when they last proved it, when the token is good and unused. That of an account
/// whose address is not proved stays unused where it `admits_unverified` not.
pub(crate) async fn use_refresh_token<C: GenericClient>(
    db: &C,
    hash: &str,
    next_hash: &str,
    days: i32,
    admits_unverified: bool,
) -> Result<Option<(Uuid, Standing, i64)>, DbError> {
    let sql = include_str!("../../queries/use_refresh_token.sql");
    let used = rows(db, sql, &[&hash, &next_hash, &days, &admits_unverified]).await?;
    Ok(used.first().map(|row| (row.get("session_id"), standing(row), row.get("authenticated_at"))))
}

/// Whom an open session of an active account speaks for, who proved it now.
pub(crate) async fn authenticate_session<C: GenericClient>(
    db: &C,
    id: Uuid,
    user_id: i32,
) -> Result<Option<Standing>, DbError> {
    let found = rows(db, include_str!("../../queries/authenticate_session.sql"), &[&id, &user_id]).await?;
    Ok(found.first().map(standing))
}

/// The user whose session ended because this token was used before.
pub(crate) async fn end_reused_session<C: GenericClient>(db: &C, hash: &str) -> Result<Option<i32>, DbError> {
    let ended = rows(db, include_str!("../../queries/end_reused_session.sql"), &[&hash]).await?;
    Ok(ended.first().map(|row| row.get("user_id")))
}

pub(crate) async fn end_session<C: GenericClient>(db: &C, id: Uuid, user_id: i32) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/end_session.sql"), &[&id, &user_id]).await.map(drop)
}

/// The open sessions with ids below `before`, newest first; none is marked as the current one.
pub(crate) async fn list_open_sessions(
    view: &View,
    user_id: i32,
    before: Uuid,
    limit: i64,
) -> Result<Vec<OpenSession>, DbError> {
    let sql = include_str!("../../queries/list_open_sessions.sql");
    let open = |row: &Row| OpenSession {
        id: row.get("id"),
        user_agent: row.get("user_agent"),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
        expires_at: row.get("expires_at"),
        is_current: false,
    };
    Ok(view.rows(sql, &[&user_id, &before, &limit]).await?.iter().map(open).collect())
}

/// Whether the session was open and the user's.
pub(crate) async fn revoke_session<C: GenericClient>(db: &C, id: Uuid, user_id: i32) -> Result<bool, DbError> {
    Ok(execute(db, include_str!("../../queries/revoke_session.sql"), &[&id, &user_id]).await? == 1)
}

/// The ids of the sessions that ended.
pub(crate) async fn revoke_other_sessions<C: GenericClient>(
    db: &C,
    user_id: i32,
    own: Uuid,
) -> Result<Vec<Uuid>, DbError> {
    let ended = rows(db, include_str!("../../queries/revoke_other_sessions.sql"), &[&user_id, &own]).await?;
    Ok(ended.iter().map(|row| row.get("id")).collect())
}

/// `reason` is one of the words that the table's constraint knows.
pub(crate) async fn end_sessions_of_user<C: GenericClient>(db: &C, user_id: i32, reason: &str) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/end_sessions_of_user.sql"), &[&user_id, &reason]).await.map(drop)
}

pub(super) fn session(row: &Row) -> Session {
    Session {
        id: row.get("id"),
        user_agent: row.get("user_agent"),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
        expires_at: row.get("expires_at"),
        ended_at: row.get("ended_at"),
    }
}
